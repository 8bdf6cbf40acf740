#include "app/disk_faults.h"

#include <fmt/format.h>

#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "storage/disk_reserve.h"

namespace quorate::app {
namespace {

std::string* watched = nullptr;  // set once, before any thread that could fail

void Handle(const std::string& data_dir, DiskFault fault, const std::string& why) {
  if (fault == DiskFault::kFull) storage::ReleaseReserve(data_dir);
  if (fault == DiskFault::kDamaged) storage::MarkDamaged(data_dir, why);
}

}  // namespace

void TakeCareOfDiskFaults(const std::string& data_dir) {
  if (watched == nullptr) watched = new std::string();  // never destroyed: threads may outlive main's statics
  *watched = data_dir;
  SetDiskFaultHandler([](DiskFault fault, const std::string& why) { Handle(*watched, fault, why); });
}

void TakeCareOf(const std::string& data_dir, const absl::Status& status) {
  // Damage was dealt with at the start that found it.
  if (DiskFaultOf(status) == DiskFault::kFull) storage::ReleaseReserve(data_dir);
}

absl::Status Repair(storage::DataDirectory& directory, const RepairRequest& request,
                    const std::function<void(const std::string&)>& notice) {
  if (!request.allowed) {
    return absl::DataLossError(fmt::format(
        "{}; not repaired because of --no-repair: without that flag it gets everything from its leader",
        request.why));
  }
  if (request.group_members <= 1) {
    return absl::DataLossError(fmt::format(
        "{}; its group has no other member to repair it from: put a snapshot in its place "
        "(`quorate snapshot restore`), or go on from another copy of the data (`quorate recover`)",
        request.why));
  }
  RETURN_IF_ERROR(directory.BeginRepair());
  notice(fmt::format(
      "DAMAGED: {}. This replica may have lost what it acknowledged, so it gives its log and state up (they "
      "are "
      "kept in {}/damaged-N) and gets them from its leader. Until the group has taken it in again it neither "
      "votes nor counts: the group has one member less to spare",
      request.why, directory.path()));
  return absl::OkStatus();
}

}  // namespace quorate::app

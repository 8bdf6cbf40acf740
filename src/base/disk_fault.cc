#include "base/disk_fault.h"

#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <cstdio>

#include "absl/strings/cord.h"
#include "base/status_macros.h"

namespace quorate {
namespace {

constexpr const char* kPayload = "quorate/disk-fault";
constexpr int kFirstExitCode = 80;

std::atomic<void (*)(DiskFault, const std::string&)> handler{nullptr};

const char* WhatToDo(DiskFault fault) {
  switch (fault) {
    case DiskFault::kWrite:
    case DiskFault::kSync:
    case DiskFault::kRead:
      return "see what the kernel says of the disk (dmesg), then start this replica again";
    case DiskFault::kFull:
      return "the reserve was given back: start this replica again and delete something, or make room first";
    case DiskFault::kDamaged:
      return "start this replica again: it repairs itself from its group";
  }
  return "";
}

}  // namespace

const char* NameOf(DiskFault fault) {
  switch (fault) {
    case DiskFault::kWrite:
      return "write-failed";
    case DiskFault::kSync:
      return "sync-failed";
    case DiskFault::kRead:
      return "read-failed";
    case DiskFault::kFull:
      return "disk-full";
    case DiskFault::kDamaged:
      return "data-damaged";
  }
  return "unknown";
}

int ExitCodeOf(DiskFault fault) { return kFirstExitCode + static_cast<int>(fault); }

absl::Status DiskError(DiskFault fault, int error, const std::string& what) {
  if (error == ENOSPC || error == EDQUOT) fault = DiskFault::kFull;
  absl::Status status = absl::ErrnoToStatus(error, what);
  status.SetPayload(kPayload, absl::Cord(std::to_string(static_cast<int>(fault))));
  return status;
}

std::optional<DiskFault> DiskFaultOf(const absl::Status& status) {
  if (const auto payload = status.GetPayload(kPayload)) {
    return static_cast<DiskFault>(std::stoi(std::string(*payload)));
  }
  if (absl::IsDataLoss(status)) return DiskFault::kDamaged;
  return std::nullopt;
}

void FailStop(DiskFault fault, const std::string& why) {
  static std::atomic<bool> stopping{false};
  while (stopping.exchange(true)) ::pause();
  std::fprintf(stderr, "quorate: stopped by a disk fault: %s: %s; %s\n", NameOf(fault), why.c_str(),
               WhatToDo(fault));
  std::fflush(stderr);
  if (auto* handle = handler.load()) handle(fault, why);
  ::_exit(ExitCodeOf(fault));
}

void FailStop(const std::string& doing, const absl::Status& status) {
  FailStop(DiskFaultOf(status).value_or(DiskFault::kWrite), doing + ": " + MessageOf(status));
}

void SetDiskFaultHandler(void (*handle)(DiskFault, const std::string&)) { handler = handle; }

}  // namespace quorate

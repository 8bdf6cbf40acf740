#include "app/recover.h"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "app/place.h"
#include "base/status_macros.h"
#include "replica/new_group.h"
#include "replica/state_worker.h"
#include "rsm/replicated_state.h"
#include "storage/data_directory.h"
#include "storage/rocks/rocks_state_store.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal.h"

namespace quorate::app {
namespace {

// Drawn, so that two survivors that were both recovered do not meet; a person has to type it, and JSON to
// hold it.
GroupId DrawGroup() {
  constexpr uint64_t kFrom = uint64_t{1} << 32, kBelow = uint64_t{1} << 40;
  return GroupId{kFrom + storage::DrawInstance() % (kBelow - kFrom)};
}

absl::Status CheckRecoverable(const storage::DataDirectory& directory) {
  const storage::Identity& identity = directory.identity();
  if (!identity.member || !identity.has_log) {
    return absl::FailedPreconditionError(
        fmt::format("{} was never a replica of a group: there is nothing to recover", directory.path()));
  }
  if (identity.repairs != 0) {
    return absl::FailedPreconditionError(fmt::format(
        "{} has lost its log and was getting it back from its group: recover from another survivor, or put "
        "{}/damaged-N to use by hand",
        directory.path(), directory.path()));
  }
  if (!directory.damage().empty()) {
    return absl::DataLossError(
        fmt::format("{} is damaged ({}): recover from another survivor, or restore a snapshot",
                    directory.path(), directory.damage()));
  }
  return absl::OkStatus();
}

}  // namespace

struct Recovery::Parts {
  std::unique_ptr<storage::DataDirectory> directory;
  storage::PosixFileSystem files;
  std::unique_ptr<storage::LogStore> log;
  std::unique_ptr<storage::StateStore> state;
  std::unique_ptr<rsm::ReplicatedState> machine;
  raft::Restored found;
  Survivor survivor;
};

absl::StatusOr<std::vector<raft::Member>> ParseJoining(const std::vector<std::string>& members) {
  std::vector<raft::Member> joining;
  for (const std::string& text : members) {
    ASSIGN_OR_RETURN(const oracle::AssignedMember member, ParseMember("--member", text));
    joining.push_back({.id = member.id, .voter = false, .address = member.addresses.peer});
  }
  return joining;
}

absl::StatusOr<std::unique_ptr<Recovery>> Recovery::Open(const std::string& data_dir) {
  auto parts = std::make_unique<Parts>();
  ASSIGN_OR_RETURN(parts->directory, storage::DataDirectory::Open(data_dir));
  RETURN_IF_ERROR(CheckRecoverable(*parts->directory));
  const storage::WalOptions wal{.prepare_in_background = false, .expect_existing = true};
  ASSIGN_OR_RETURN(parts->log, storage::OpenWal(parts->files, parts->directory->wal_path(), wal));
  ASSIGN_OR_RETURN(parts->state, storage::OpenRocksState(parts->directory->state_path(), {}));
  if (!parts->state->map().Get(
          replica::kConfigurationKey))  // also that of the group's first formation is kept there
    return absl::DataLossError(fmt::format("the applied state in {} is gone: recover from another survivor",
                                           parts->directory->state_path()));
  parts->machine = std::make_unique<rsm::ReplicatedState>(parts->state->map(), rsm::Observer());
  ASSIGN_OR_RETURN(replica::Recovered found,
                   replica::Recover(*parts->log, *parts->state, *parts->machine, raft::Configuration()));
  parts->found = std::move(found.restored);

  Survivor& survivor = parts->survivor;
  const auto& entries = parts->found.entries;
  survivor.group = parts->directory->identity().group;
  survivor.member = parts->directory->identity().member;
  survivor.last = entries.empty() ? parts->found.base.last_index : entries.back().index;
  survivor.last_term = entries.empty() ? parts->found.base.last_term : entries.back().term;
  survivor.applied = parts->found.applied;
  ASSIGN_OR_RETURN(survivor.members, replica::LatestConfiguration(parts->found));
  return std::unique_ptr<Recovery>(new Recovery(std::move(parts)));
}

Recovery::Recovery(std::unique_ptr<Parts> parts) : parts_(std::move(parts)) {}
Recovery::~Recovery() = default;

const Survivor& Recovery::survivor() const { return parts_->survivor; }

absl::StatusOr<GroupId> Recovery::Found(const std::vector<raft::Member>& joining) {
  // Before the identity changes: what cannot be done shall leave everything as it was.
  const MemberId self = parts_->survivor.member;
  RETURN_IF_ERROR(replica::BeginNewGroup(parts_->found, self, 1, joining).status());
  const GroupId group = DrawGroup();
  // The identity first: the log alone would make this replica lead the old group by itself.
  RETURN_IF_ERROR(parts_->directory->MoveToGroup(group));
  ASSIGN_OR_RETURN(
      storage::LogWrite write,
      replica::BeginNewGroup(parts_->found, self, parts_->directory->identity().instance, joining));
  const std::array writes{std::move(write)};
  RETURN_IF_ERROR(parts_->log->Write(writes));
  return group;
}

}  // namespace quorate::app

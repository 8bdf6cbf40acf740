#include "app/restore.h"

#include <fmt/format.h>

#include <array>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <memory>
#include <random>
#include <utility>

#include "app/place.h"
#include "base/status_macros.h"
#include "raft/codec.h"
#include "replica/state_worker.h"
#include "storage/atomic_file.h"
#include "storage/data_directory.h"
#include "storage/rocks/rocks_state_store.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal.h"

namespace quorate::app {
namespace {

namespace fs = std::filesystem;

constexpr uint32_t kDrawnGroupMax = 1'000'000'000;  // what a configuration file takes
constexpr size_t kBatchBytes = size_t{1} << 20;

// Pairs into a map that is empty, in batches.
class Filler {
 public:
  explicit Filler(kv::OrderedMap& map) : map_(map) {}
  void Put(std::string_view key, std::string_view value) {
    bytes_ += key.size() + value.size();
    batch_.push_back({std::string(key), std::string(value)});
    if (bytes_ >= kBatchBytes) Write();
  }
  void Write() {
    if (!batch_.empty()) map_.Write(batch_);
    batch_.clear();
    bytes_ = 0;
  }

 private:
  kv::OrderedMap& map_;
  kv::MapBatch batch_;
  size_t bytes_ = 0;
};

absl::Status CheckUnused(const std::string& path) {
  std::error_code error;
  if (!fs::exists(path, error)) return absl::OkStatus();
  if (fs::is_directory(path, error) && fs::is_empty(path, error)) return absl::OkStatus();
  return absl::AlreadyExistsError(
      fmt::format("{} is there already and not an empty directory: give another, a restore never writes into "
                  "what exists",
                  path));
}

absl::StatusOr<GroupId> NewGroup(uint64_t wanted, GroupId old) {
  if (wanted != 0 && wanted == old.value) {
    return absl::InvalidArgumentError(fmt::format(
        "--group-id {} is the group that the snapshot is of: a restored group needs a new number, "
        "so that members of the two never mix",
        wanted));
  }
  GroupId group{wanted};
  std::random_device random;
  while (group == GroupId{} || group == old) group = GroupId{1 + random() % (kDrawnGroupMax - 1)};
  return group;
}

// The members are new, so nobody has a read lease; the group's times stay.
raft::Configuration NewConfiguration(const raft::Configuration& old, const oracle::Assignment& place) {
  raft::Configuration configuration;
  for (const oracle::AssignedMember& member : place.members) {
    configuration.members.push_back(
        {.id = member.id, .voter = member.voter, .address = member.addresses.peer});
  }
  configuration.timing = old.timing;
  configuration.leases_on = old.leases_on;
  configuration.feature_level = old.feature_level;
  configuration.last_id = configuration.members.back().id;
  return configuration;
}

absl::Status FillState(const std::string& path, const std::string& file, const std::string& configuration) {
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::StateStore> state, storage::OpenRocksState(path, {}));
  Filler filler(state->map());
  storage::SnapshotFileReader reader;
  RETURN_IF_ERROR(ReadInPieces(file, [&](std::string_view piece) {
    return reader.Feed(piece, [&](std::string_view key, std::string_view value) {
      if (key != replica::kConfigurationKey) filler.Put(key, value);
      return absl::OkStatus();
    });
  }));
  RETURN_IF_ERROR(reader.Finish());
  filler.Put(replica::kConfigurationKey, configuration);
  filler.Write();
  return state->Flush();
}

absl::Status BeginLog(const std::string& path, const raft::SnapshotMeta& base) {
  storage::PosixFileSystem files;
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::LogStore> log, storage::OpenWal(files, path, {}));
  RETURN_IF_ERROR(log->Recover().status());
  const std::array writes{
      storage::LogWrite{.install = base, .hard_state = raft::HardState{base.last_term, MemberId{}}}};
  return log->Write(writes);
}

absl::Status MakeDirectory(const std::string& path, const RestoreOptions& options, GroupId group,
                           const raft::SnapshotMeta& base) {
  ASSIGN_OR_RETURN(const std::unique_ptr<storage::DataDirectory> directory,
                   storage::DataDirectory::Open(path));
  RETURN_IF_ERROR(directory->Assign(group, MemberId{options.replica_id}));
  RETURN_IF_ERROR(
      FillState(directory->state_path(), options.file, raft::EncodeConfiguration(base.configuration)));
  RETURN_IF_ERROR(BeginLog(directory->wal_path(), base));
  return directory->MarkLogBegun();
}

absl::Status MoveIntoPlace(const std::string& from, const std::string& to) {
  RETURN_IF_ERROR(storage::SyncDirectory(from));
  if (std::rename(from.c_str(), to.c_str()) != 0) {  // over an empty directory, too
    return absl::UnavailableError(fmt::format("cannot rename {} to {}: {}", from, to, std::strerror(errno)));
  }
  const fs::path parent = fs::absolute(to).parent_path();
  return storage::SyncDirectory(parent.string());
}

std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.back() == '/') path.pop_back();
  return path;
}

}  // namespace

absl::StatusOr<Restored> Restore(const RestoreOptions& options) {
  ServeOptions as_served;
  as_served.group_id = options.group_id;
  as_served.replica_id = options.replica_id;
  as_served.members = options.members;
  ASSIGN_OR_RETURN(const oracle::Assignment place, PlaceByHand(as_served));
  const std::string path = WithoutSlash(options.data_dir), unfinished = path + ".restoring";
  RETURN_IF_ERROR(CheckUnused(path));
  if (fs::exists(unfinished))
    return absl::AlreadyExistsError(fmt::format(
        "{} is there: another restore runs, or was interrupted; remove it if none runs", unfinished));
  if (options.file == "-")
    return absl::InvalidArgumentError("a restore reads its file twice, so it cannot be stdin: save it first");

  ASSIGN_OR_RETURN(SnapshotSummary summary, CheckSnapshotFile(options.file));
  ASSIGN_OR_RETURN(const GroupId group, NewGroup(options.group_id, summary.meta.group));
  const raft::SnapshotMeta base{summary.meta.index, summary.meta.term,
                                NewConfiguration(summary.meta.configuration, place)};
  absl::Status made = MakeDirectory(unfinished, options, group, base);
  if (made.ok()) made = MoveIntoPlace(unfinished, path);
  if (!made.ok()) {
    std::error_code ignored;
    fs::remove_all(unfinished, ignored);
    return made;
  }
  return Restored{group, std::move(summary)};
}

}  // namespace quorate::app

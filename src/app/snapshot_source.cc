#include "app/snapshot_source.h"

#include <chrono>
#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "kv/cursor.h"
#include "raft/codec.h"
#include "replica/state_worker.h"
#include "rsm/replicated_state.h"
#include "storage/snapshot_file.h"

namespace quorate::app {
namespace {

constexpr size_t kPartBytes = size_t{256} << 10;

// All by one iterator: it sees one version.
absl::StatusOr<storage::SnapshotFileMeta> MetaOf(kv::MapIterator& map) {
  const auto applied = rsm::ReplicatedState::StateIn(map);
  if (!applied) return absl::UnavailableError("nothing is applied here yet: try again later");
  storage::SnapshotFileMeta meta;
  meta.index = applied->index;
  meta.term = applied->term;
  meta.state_hash = applied->hash;
  meta.revision = kv::ReadMeta(map).current;
  map.Seek(replica::kConfigurationKey);
  if (map.Valid() && map.key() == replica::kConfigurationKey) {
    auto configuration = raft::DecodeConfiguration(map.value());
    if (!configuration) return absl::DataLossError("the configuration kept here does not decode");
    meta.configuration = *std::move(configuration);
  }
  return meta;
}

}  // namespace

absl::StatusOr<api::HttpBackend::FileParts> OpenSnapshot(const kv::MapReader& map, GroupId group,
                                                         const std::string& name, WallTime now) {
  std::unique_ptr<kv::MapIterator> iterator = map.NewIterator();
  ASSIGN_OR_RETURN(storage::SnapshotFileMeta meta, MetaOf(*iterator));
  meta.group = group;
  meta.name = name;
  meta.saved_at = {std::chrono::duration_cast<std::chrono::milliseconds>(now.since_epoch)};
  auto file =
      std::make_shared<storage::SnapshotFileWriter>(meta, storage::StreamSnapshot(std::move(iterator)));
  return [file = std::move(file)] { return file->Next(kPartBytes); };
}

}  // namespace quorate::app

// The applied state in memory, for tests and the simulator. What a crash leaves is what the last Flush() (or
// committed restore) held: give FlushedImage() to the next incarnation's constructor.
#pragma once

#include <memory>
#include <mutex>
#include <shared_mutex>

#include "storage/api.h"
#include "storage/memory/persistent_map.h"

namespace quorate::storage {

// Threads: as StateStore and OrderedMap say. Never blocks for long, never fails.
class MemoryStateStore final : public StateStore {
 public:
  explicit MemoryStateStore(PersistentMap image = {});
  ~MemoryStateStore() override;

  kv::OrderedMap& map() override;
  absl::Status Flush() override;
  std::unique_ptr<SnapshotSource> TakeSnapshot() override;
  absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginRestore() override;

  // The map as a crash now would leave it. Costs nothing. Any thread.
  PersistentMap FlushedImage() const;

 private:
  class Map;
  class Sink;
  mutable std::shared_mutex mu_;
  PersistentMap current_;  // guarded by mu_
  PersistentMap flushed_;  // guarded by mu_
  std::unique_ptr<Map> map_;
};

}  // namespace quorate::storage

// What a replica keeps: the log (synced) and the applied state (not synced; the log covers it).
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/ordered_map.h"
#include "raft/types.h"

namespace quorate::storage {

// One batch of Effects. Batches are written in the order given; within one: install, then hard_state, then
// append.
struct LogWrite {
  std::optional<raft::SnapshotMeta> install;  // the log restarts after install->last_index
  bool keep_log_suffix = false;               // with install: entries after it stay
  std::optional<raft::HardState> hard_state;
  std::vector<raft::LogEntry> append;  // replaces any suffix from append.front().index on
};

struct RecoveredLog {
  raft::HardState hard_state;
  raft::SnapshotMeta base;
  std::vector<raft::LogEntry> entries;
  bool torn_tail = false;  // an unfinished last write was dropped: it was never acknowledged
};

// The replicated log on disk. One thread calls Write and Compact. Any failed write or sync poisons the log:
// that call and every later one fail, and the replica must stop (a retried fsync can lie).
class LogStore {
 public:
  virtual ~LogStore() = default;
  // Once, before anything else. kDataLoss: damage that is not a torn tail; such a replica may have lost
  // acknowledged entries and must not vote or acknowledge. kFailedPrecondition: an unknown format version.
  virtual absl::StatusOr<RecoveredLog> Recover() = 0;
  // All of `batch` with one write and one sync. Returns when durable. Blocks.
  virtual absl::Status Write(std::span<const LogWrite> batch) = 0;
  // Entries up to `base.last_index` may go; whole segments are dropped when nothing newer is in them. `base`
  // becomes what Recover() gives as base.
  virtual absl::Status Compact(const raft::SnapshotMeta& base) = 0;
  virtual size_t bytes() const = 0;  // on disk
};

// A stream of a snapshot's bytes: canonical, so that equal states give equal streams.
class SnapshotSource {
 public:
  virtual ~SnapshotSource() = default;
  // Up to `max` bytes at `offset`; empty at the end. Offsets grow; only the newest
  // `limits::kSnapshotChunkBytes` before the furthest offset can be asked for again.
  virtual absl::StatusOr<std::string> Read(uint64_t offset, size_t max) = 0;
};
class SnapshotSink {
 public:
  virtual ~SnapshotSink() = default;
  virtual absl::Status Write(std::string_view bytes) = 0;
  // Everything came: checks that it is whole, and makes it durable beside the state. What it holds can be
  // read until Commit(). kDataLoss: cut off or damaged. Blocks.
  virtual absl::StatusOr<const kv::MapReader*> Verify() = 0;
  // After Verify(): it is the state from now on, atomically and durably. The old state is gone.
  virtual absl::Status Commit() = 0;
};

// The applied state: an ordered map that survives a restart up to some applied index, atomically with it (the
// index is one of the map's own keys, written in the same batch).
class StateStore {
 public:
  virtual ~StateStore() = default;
  virtual kv::OrderedMap& map() = 0;
  // Makes what is in the map now durable, so that the log below may be cut. Blocks; any thread.
  virtual absl::Status Flush() = 0;
  // All keys of the map as it is now.
  virtual std::unique_ptr<SnapshotSource> TakeSnapshot() = 0;
  // Replaces all keys on Commit(). Readers of map() must have gone by then (the driver sees to it).
  virtual absl::StatusOr<std::unique_ptr<SnapshotSink>> BeginRestore() = 0;
};

}  // namespace quorate::storage

// What goes into the replica's driver and what comes out of it. Values only.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "base/types.h"
#include "raft/core.h"
#include "raft/messages.h"
#include "replica/client.h"
#include "storage/api.h"

namespace quorate::replica {

// One reading of this machine's clocks, passed in with every event.
struct Now {
  BootTime boot;
  WallTime wall;
};

// --- events ---
struct MessageReceived {
  raft::Message message;
};
struct ProposeCall {
  std::string command;
  Duration timeout{0};
  std::function<void(ProposeOutcome)> done;
};
struct ReadCall {
  Duration timeout{0};
  // A lease was held when the read came, and everything up to here was then applied or pending: it is
  // answered once that is applied, without asking anybody; after the group's hold time by ReadIndex. 0: by
  // ReadIndex.
  LogIndex target;
  std::function<void(absl::Status)> done;
};
struct BarrierCall {  // of the read gate; never times out
  uint64_t ticket = 0;
};
struct TransferCall {
  MemberId to;
  std::function<void(absl::Status)> done;
};
struct ConfigureCall {
  ConfigurationChange change;
  Duration timeout{0};
  std::function<void(absl::Status)> done;
};
struct DiskSeen {  // what the shell found out about the disk
  bool low = false;
};
struct StopCall {};  // hand leadership over, then fail what waits

// What the log thread did.
struct LogWritten {
  uint64_t id = 0;  // this job and all before it are durable
};
struct LogCompacted {
  LogIndex through;
};

// What the apply thread did.
struct AppliedEntry {
  LogIndex index;
  Term term;
  rsm::Outcome outcome;  // of a command
};
struct EntriesApplied {
  std::vector<AppliedEntry> entries;  // in order, without gaps
  uint64_t state_hash = 0;            // after the last
};
struct SnapshotTaken {
  uint64_t snapshot_id = 0;
  LogIndex index;  // it holds everything up to here
  Term term;
};
struct SnapshotInstalled {
  LogIndex index;
  Duration group_time{0};
  uint64_t state_hash = 0;
};

// What the housekeeping thread did.
struct StateFlushed {};
struct SnapshotRead {
  uint64_t snapshot_id = 0;
  uint64_t offset = 0;
  absl::StatusOr<std::string> data;  // empty: the end
};
struct SnapshotWritten {
  uint64_t restore_id = 0;
  absl::Status status;
};
struct SnapshotVerified {
  uint64_t restore_id = 0;
  absl::Status status;  // not OK: what came is not what its sender said
};

using Event = std::variant<MessageReceived, ProposeCall, ReadCall, BarrierCall, TransferCall, ConfigureCall,
                           DiskSeen, StopCall, LogWritten, LogCompacted, EntriesApplied, SnapshotTaken,
                           SnapshotInstalled, StateFlushed, SnapshotRead, SnapshotWritten, SnapshotVerified>;

// --- jobs: done elsewhere, each list by one thread in the order given ---

// The log thread. Writes that wait together become one LogStore::Write; LogWritten answers them.
struct LogJob {
  uint64_t id = 0;
  std::variant<storage::LogWrite, raft::SnapshotMeta>
      work;  // the latter: LogStore::Compact, then LogCompacted
};

// The apply thread.
struct ApplyEntries {
  std::vector<raft::LogEntry> entries;
};
struct TakeSnapshot {
  uint64_t snapshot_id = 0;
};
struct InstallSnapshot {  // commits the restore, which was verified: the state is then as of meta.last_index
  uint64_t restore_id = 0;
  raft::SnapshotMeta meta;
};
using ApplyJob = std::variant<ApplyEntries, TakeSnapshot, InstallSnapshot>;

// The housekeeping thread: what may take long and must delay neither the log nor the apply thread.
struct FlushState {};
struct ReadSnapshot {
  uint64_t snapshot_id = 0;
  uint64_t offset = 0;
};
struct DropSnapshot {
  uint64_t snapshot_id = 0;
};
struct WriteSnapshot {  // offset 0 begins a restore
  uint64_t restore_id = 0;
  uint64_t offset = 0;
  raft::Payload data;
};
struct VerifySnapshot {  // everything was written
  uint64_t restore_id = 0;
  raft::SnapshotMeta meta;
};
struct DropRestore {
  uint64_t restore_id = 0;
};
using HousekeepingJob =
    std::variant<FlushState, ReadSnapshot, DropSnapshot, WriteSnapshot, VerifySnapshot, DropRestore>;

// What the published view learns of the log (rsm::PendingView), in order.
struct TruncatePending {
  LogIndex from;
};
struct AppendPending {
  std::vector<raft::LogEntry> entries;
};
struct InstallPending {
  LogIndex through;
};
using PendingChange = std::variant<TruncatePending, AppendPending, InstallPending>;
void Carry(const PendingChange& change, rsm::PendingView& view);

// Everything to do after some events, in this order; nothing here waits for the rest. Readers see what is
// pending before the lease that covers it, and the lease before anybody is told: read-leases.md, "The view".
struct Actions {
  std::vector<PendingChange> pending;
  std::optional<LogIndex> log_last;                  // when it changed
  std::optional<BootTime> lease_until, fresh_as_of;  // when they changed
  std::vector<LogJob> log;
  std::vector<raft::Message> send;
  std::vector<ApplyJob> apply;
  std::vector<HousekeepingJob> housekeeping;
  std::vector<std::function<void()>> completions;  // callers' callbacks
  uint64_t barrier_completed = 0;  // the newest ticket of the read gate that is good now; 0: none
  std::optional<raft::Configuration> configuration;  // the latest in the log, when it changed
  std::optional<raft::Dismissal> dismissed;          // no member any more: stop answering, and end
  bool stopped = false;                              // after a StopCall: nothing waits any more
};

}  // namespace quorate::replica

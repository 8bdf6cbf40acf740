// The driver around the raft core: decides what is written, sent, applied and answered, and when.
// Deterministic: no clock, thread or I/O; the runner (threads) and the simulator carry out the same Actions.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <vector>

#include "raft/core.h"
#include "replica/client.h"
#include "replica/compaction.h"
#include "replica/configure.h"
#include "replica/events.h"
#include "replica/group_clock.h"
#include "replica/proposals.h"
#include "replica/reads.h"
#include "replica/snapshot_receiver.h"
#include "replica/snapshot_sender.h"

namespace quorate::replica {

struct DriverConfig {
  raft::CoreConfig core;
  GroupId group;
  Duration stop_timeout = std::chrono::seconds(2);
  // A read of its own when nobody else reads, so that can_read is true or false for a reason; 0: none.
  Duration probe_interval = std::chrono::milliseconds(400);
  SnapshotTimes snapshots;
  CompactionLimits compaction;  // zeros: limits.h
};

// The applied state as recovery found it.
struct StateAt {
  LogIndex index;
  Term term;
  Duration group_time{0};
  uint64_t hash = 0;
};

// One thread at a time. Handle events, then Collect: everything that waits by then is one batch.
class Driver {
 public:
  Driver(const DriverConfig& config, raft::Restored restored, const StateAt& state, const Now& now);

  void Handle(const Now& now, Event event);
  // Lets time pass, proposes and reads what waits, and gives everything to do since the last call. The lists
  // of jobs go to their threads in order; a failed log write or state job must stop the replica instead of
  // reporting.
  Actions Collect(const Now& now);
  // Collect again at this time at the latest.
  BootTime NextWake() const;

  // A BarrierCall now would start a round of its own.
  bool CanStartRead(BootTime now) const { return reads_.CanStart(now); }

  // When that may be true at the latest.
  BootTime NextReadStart() const { return reads_.NextStart(); }

  GroupStatus Status(BootTime now) const;
  const raft::Core& core() const { return core_; }

 private:
  // What is released when a log job is durable.
  struct PendingWrite {
    uint64_t id = 0;
    std::optional<raft::LogDurable> durable;
    bool install = false;
    std::vector<raft::Message> messages;
  };
  struct Transfer {
    MemberId to;
    BootTime deadline;
    std::function<void(absl::Status)> done;
  };

  void On(MessageReceived event);
  void On(ProposeCall event);
  void On(ReadCall event);
  void On(BarrierCall event);
  void On(TransferCall event);
  void On(ConfigureCall event);
  void On(DiskSeen event);
  void On(StopCall event);
  void On(LogWritten event);
  void On(LogCompacted event);
  void On(EntriesApplied event);
  void On(SnapshotTaken event);
  void On(SnapshotInstalled event);
  void On(StateFlushed event);
  void On(SnapshotRead event);
  void On(SnapshotWritten event);
  void On(SnapshotVerified event);

  absl::Status Risk(const ConfigurationChange& change, const raft::Configuration& next) const;
  void OnDismissed(raft::Dismissal why);
  void CheckFeatureLevel(const raft::Configuration& now);
  void OnProposeRequest(const raft::Message& message, const raft::ProposeRequest& request);
  void OnSnapshotChunk(const raft::Message& message, const raft::SnapshotChunk& chunk);

  void Step(const raft::Input& input);
  void Absorb(raft::Effects effects);
  void Write(raft::Effects& effects);
  void PublishPending(const raft::Effects& effects);
  void PublishLease();
  void SetReadTimes();
  void FollowRole();  // after a step: what a change of leader or term means to those who wait
  void ProposeHeld();
  void StartReads();
  LogIndex MayCutThrough();
  void MaybeCompact();
  void CheckTransfer();
  void YieldToRoom();
  void CheckStop();
  void ReportSnapshots();
  bool leads() const { return core_.role() == raft::Role::kLeader; }

  DriverConfig config_;
  Now now_;
  raft::Core core_;
  Actions actions_;

  MemberId leader_;  // as of the last step
  Term term_;
  bool leading_ = false;

  GroupClock clock_;
  Proposals proposals_;
  Reads reads_;
  SnapshotSender sender_;
  SnapshotReceiver receiver_;

  uint64_t last_job_ = 0;
  std::deque<PendingWrite> pending_writes_;
  bool state_pending_ = false;     // a snapshot's state is being put in place ...
  std::vector<LogJob> held_jobs_;  // ... and the log waits: it must never begin after what the state holds

  LogIndex applied_;
  uint64_t state_hash_ = 0;
  size_t applying_entries_ = 0, applying_bytes_ = 0;  // handed to the apply thread
  std::deque<std::pair<size_t, size_t>> apply_batches_;

  BootTime hold_until_;  // the leader did not take proposals: not before this again
  BootTime next_probe_;

  LogSizes log_sizes_;
  enum class Compacting { kNo, kFlushing, kCutting } compacting_ = Compacting::kNo;
  LogIndex flushing_;  // what the flush under way makes durable, at least
  BootTime compact_not_before_;
  std::map<MemberId, BootTime> heard_;  // when members were last seen to answer in time

  LogIndex published_configuration_;  // the index of the one that the transport knows
  LogIndex published_last_;           // of the log, as the published view knows it
  BootTime published_lease_ = kLongAgo, published_fresh_ = kLongAgo;

  bool disk_low_ = false;
  BootTime yield_not_before_;
  std::optional<Transfer> transfer_;
  PendingConfigure configure_;
  std::optional<BootTime> stop_deadline_;  // stopping
  bool stopped_ = false;
};

}  // namespace quorate::replica

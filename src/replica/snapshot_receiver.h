// A follower's side of a snapshot transfer.
#pragma once

#include <optional>

#include "replica/events.h"

namespace quorate::replica {

// Chunks go into a restore beside the state. Once all came the whole of it is checked; only if it is what its
// sender said, and the core still wants it, does it become the state. What is unfinished is kept for a sender
// that comes back, for `keep_for`.
class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(MemberId self, Duration keep_for = std::chrono::seconds(120))
      : self_(self), keep_for_(keep_for) {}

  // Of this member's current term.
  void OnChunk(BootTime now, MemberId from, Term term, const raft::SnapshotChunk& chunk, LogIndex committed,
               Actions& actions);
  void OnWritten(const SnapshotWritten& event, Actions& actions);
  // The result: ask the core.
  std::optional<raft::SnapshotReceived> OnVerified(const SnapshotVerified& event, Actions& actions);

  // The core's answer to SnapshotReceived. Installing: the job for the apply thread.
  void Install(const raft::SnapshotMeta& meta, Actions& actions);
  void Decline(bool committed, Actions& actions);  // not wanted, because it is all `committed` here, or not
  // The state and the log are those of the snapshot.
  void Installed(Term term, Actions& actions);

  void Expire(BootTime now, Actions& actions);
  BootTime NextDeadline() const;

  bool installing() const { return phase_ == Phase::kInstalling; }
  const SnapshotsReceived& counts() const { return counts_; }

 private:
  enum class Phase { kIdle, kWaiting, kWriting, kVerifying, kInstalling };
  void Reply(Actions& actions, bool installed = false, bool refused = false) const;
  void Refuse(Actions& actions);
  void Drop(Actions& actions);
  void Begin(MemberId from, const raft::SnapshotChunk& chunk, Actions& actions);

  MemberId self_;
  Duration keep_for_;
  Phase phase_ = Phase::kIdle;
  MemberId from_;
  Term term_;
  raft::SnapshotMeta meta_;
  uint64_t snapshot_id_ = 0, restore_id_ = 0;
  uint64_t next_offset_ = 0, writing_bytes_ = 0;
  BootTime heard_at_;
  SnapshotsReceived counts_;
};

}  // namespace quorate::replica

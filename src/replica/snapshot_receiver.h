// A follower's side of a snapshot transfer.
#pragma once

#include <optional>

#include "replica/events.h"

namespace quorate::replica {

// Chunks go into a restore beside the state; only when all came and the core wants it does it become the
// state.
class SnapshotReceiver {
 public:
  explicit SnapshotReceiver(MemberId self) : self_(self) {}

  // Of this member's current term. The result: everything came ask the core.
  std::optional<raft::SnapshotReceived> OnChunk(MemberId from, Term term, const raft::SnapshotChunk& chunk,
                                                LogIndex committed, Actions& actions);
  void OnWritten(const SnapshotWritten& event, Actions& actions);

  // The core's answer to SnapshotReceived. Installing: the job for the apply thread.
  void Install(const raft::SnapshotMeta& meta, Actions& actions);
  void Decline(bool committed, Actions& actions);  // not wanted, because it is all `committed` here, or not
  // The state and the log are those of the snapshot.
  void Installed(Term term, Actions& actions);

  bool installing() const { return phase_ == Phase::kInstalling; }

 private:
  enum class Phase { kIdle, kWaiting, kWriting, kComplete, kInstalling };
  void Reply(Actions& actions, bool installed = false, bool refused = false) const;
  void Drop(Actions& actions);

  MemberId self_;
  Phase phase_ = Phase::kIdle;
  MemberId from_;
  Term term_;
  raft::SnapshotMeta meta_;
  uint64_t snapshot_id_ = 0, restore_id_ = 0;
  uint64_t next_offset_ = 0, writing_bytes_ = 0;
};

}  // namespace quorate::replica

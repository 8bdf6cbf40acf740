// What a leader knows of one follower (etcd's names): probing for where the logs agree, replicating in a
// pipeline, or waiting for a snapshot. Windows bound what is under way by count and by bytes.
#pragma once

#include <algorithm>
#include <deque>
#include <optional>

#include "raft/core.h"

namespace quorate::raft {

class Progress {
 public:
  using State = PeerStatus::State;

  Progress(LogIndex next, BootTime now) : next_(next), heard_at_(now) {}

  State state() const { return state_; }
  // Durable at the follower up to here, as acknowledged in this term.
  LogIndex match() const { return match_; }
  // The next entry to send.
  LogIndex next() const { return next_; }

  // May an AppendEntries with entries leave now?
  bool Open(size_t messages_max, size_t bytes_max) const;

  // An AppendEntries with what is from next() on left; `last` is its last index (next() - 1 when it was
  // empty).
  void OnSent(LogIndex last, size_t bytes, BootTime now);
  // matched
  void OnMatched(LogIndex received, LogIndex durable);
  // not matched: probes from `next`, unless the answer is an old one.
  void OnMismatch(LogIndex next);
  void BecomeSnapshot();
  void BecomeProbe(LogIndex next);
  // The process there is another one: what it acknowledged before has to be verified anew.
  void OnRestarted();

  // When the oldest append that is not acknowledged as durable left; nullopt: there is none.
  std::optional<BootTime> oldest_inflight() const {
    return inflight_.empty() ? std::nullopt : std::optional(inflight_.front().sent);
  }

  // --- what the leader notes beside ---
  // What it said of itself last.
  struct Said {
    uint64_t instance = 0;
    LogIndex applied;
    uint64_t feature_level = 0;  // 0: nothing yet
    bool disk_low = false;
  };
  Said said;
  // Rounds of catching up (dissertation 4.2.1): each ends when all is there that was in the log as it began.
  // One that took no longer than `most` says that the follower keeps up. Call now and then.
  void NoteRound(LogIndex last, BootTime now, Duration most);
  bool caught_up() const { return caught_up_; }
  void Heard(BootTime now) { heard_at_ = now; }
  BootTime heard_at() const { return heard_at_; }
  void AckRound(uint64_t round) { acked_round_ = std::max(acked_round_, round); }
  uint64_t acked_round() const { return acked_round_; }
  void ToldCommit(LogIndex commit) { told_commit_ = std::max(told_commit_, commit); }
  LogIndex told_commit() const { return told_commit_; }
  void RetrySnapshotAt(BootTime at) { snapshot_retry_at_ = at; }
  BootTime snapshot_retry_at() const { return snapshot_retry_at_; }

 private:
  struct Inflight {
    LogIndex last;
    size_t bytes;
    BootTime sent;
  };
  void ClearInflight();

  State state_ = State::kProbe;
  LogIndex match_, next_;
  bool probe_sent_ = false;  // a probe with entries is under way; heartbeats probe on should it be lost
  std::deque<Inflight> inflight_;
  size_t inflight_bytes_ = 0;
  BootTime heard_at_;
  uint64_t acked_round_ = 0;
  LogIndex told_commit_;
  BootTime snapshot_retry_at_;
  bool caught_up_ = false;
  std::optional<LogIndex> round_target_;
  BootTime round_began_;
};

}  // namespace quorate::raft

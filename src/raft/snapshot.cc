// Snapshots (Raft 7): the driver carries the bytes; here is decided when one is needed and what it does to
// the log.
#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {

void Core::Impl::OnSnapshotReceived(const SnapshotReceived& input) {
  if (input.term < term()) return;
  if (input.term > term() || role_ != Role::kFollower || leader_ != input.from) {
    if (input.term == term() && leader_ && leader_ != input.from) {
      ++rival_leaders_;
      return;
    }
    BecomeFollower(input.term, input.from);
  }
  leader_heard_at_ = now_;
  ResetElectionTimer();
  const SnapshotMeta& meta = input.meta;
  if (meta.last_index <= commit_) return;  // an old one
  if (meta.last_term > term()) {
    ++refused_messages_;
    return;
  }
  // The suffix stays only where the logs provably agree; a conflicting one would come back as a livelock.
  const bool conflicts = log_.TermAt(meta.last_index).value_or(meta.last_term) != meta.last_term;
  const bool keep = log_.TermAt(meta.last_index) == meta.last_term ||
                    (SIM_MUTANT("snapshot-keeps-conflicting-suffix") && conflicts);
  SIM_PROBE("raft.snapshot-against-a-conflicting-suffix", conflicts);
  SIM_PROBE("raft.snapshot-keeps-suffix", keep && log_.last_index() > meta.last_index);
  log_.Install(SIM_MUTANT("configuration-lost-in-snapshot")
                   ? SnapshotMeta{meta.last_index, meta.last_term, log_.configuration()}
                   : meta,
               keep);
  // Its write comes after those of what stays, and is the last to tell of them if one sync did them all.
  install_pending_ = LogDurable{log_.newest_append().value_or(term()), log_.last_index()};
  commit_ = handed_out_ = applied_ = meta.last_index;
  // The lease stays only with a log that goes on from what it covered.
  if (!keep) lease_until_ = kLongAgo;
  effects_.install = meta;
  effects_.keep_log_suffix = keep;
}

void Core::Impl::AskForSnapshot(MemberId to, Progress& peer) {
  // Nobody is sent a snapshot who does not answer.
  const bool recent = now_ - peer.heard_at() <= election_max();
  if (!recent || now_ < peer.snapshot_retry_at()) return;
  peer.BecomeSnapshot();
  effects_.need_snapshot.push_back(to);
}

void Core::Impl::OnSnapshotSent(const SnapshotSent& input) {
  const auto it = peers_.find(input.to);
  if (it == peers_.end() || it->second.state() != Progress::State::kSnapshot) return;
  Progress& peer = it->second;
  if (input.installed) {
    peer.BecomeProbe(std::min(input.last_index, log_.last_index()) + 1);
  } else {
    peer.RetrySnapshotAt(now_ + election_max());
    peer.BecomeProbe(peer.next());
  }
}

void Core::Impl::OnCompacted(const Compacted& input) {
  CHECK_LE(input.through, applied_);
  log_.CompactThrough(input.through);
}

}  // namespace quorate::raft

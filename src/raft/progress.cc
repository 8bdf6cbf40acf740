#include "raft/progress.h"

#include <algorithm>

#include "base/check.h"

namespace quorate::raft {

bool Progress::Open(size_t messages_max, size_t bytes_max) const {
  switch (state_) {
    case State::kProbe:
      return !probe_sent_;
    case State::kReplicate:
      return inflight_.size() < messages_max && inflight_bytes_ < bytes_max;
    case State::kSnapshot:
      return false;
  }
  return false;
}

void Progress::OnSent(LogIndex last, size_t bytes, BootTime now) {
  if (state_ == State::kProbe) {
    probe_sent_ = true;
    return;
  }
  CHECK(state_ == State::kReplicate);
  CHECK_GE(last, next_);
  inflight_.push_back({last, bytes, now});
  inflight_bytes_ += bytes;
  next_ = last + 1;
}

void Progress::OnMatched(LogIndex received, LogIndex durable) {
  match_ = std::max(match_, durable);
  // The window is freed by what is durable, not by what was received: else a follower with a slow disk would
  // be fed until its memory is full.
  while (!inflight_.empty() && inflight_.front().last <= match_) {
    inflight_bytes_ -= inflight_.front().bytes;
    inflight_.pop_front();
  }
  next_ = std::max(next_, match_ + 1);
  if (state_ == State::kProbe) {
    // The answer to something older than the probe says that the follower lives: the probe may be lost, and
    // may by now be below the log's base.
    probe_sent_ = false;
    if (received + 1 >= next_) state_ = State::kReplicate;
  }
  if (state_ == State::kReplicate) next_ = std::max(next_, received + 1);
}

void Progress::OnMismatch(LogIndex next) {
  next = std::max(next, match_ + 1);
  if (state_ == State::kSnapshot || next >= next_) return;
  BecomeProbe(next);
}

void Progress::NoteRound(LogIndex last, BootTime now, Duration most) {
  if (state_ != State::kReplicate) {
    round_target_.reset();
    caught_up_ = false;
    return;
  }
  const bool over = round_target_ && match_ >= *round_target_;
  if (over) caught_up_ = now - round_began_ <= most;
  if (!over && round_target_ && now - round_began_ > most) caught_up_ = false;
  if (!over && round_target_) return;
  round_target_ = last;
  round_began_ = now;
}

void Progress::BecomeSnapshot() {
  state_ = State::kSnapshot;
  ClearInflight();
}

void Progress::BecomeProbe(LogIndex next) {
  state_ = State::kProbe;
  next_ = std::max(next, match_ + 1);
  probe_sent_ = false;
  told_commit_ = std::min(told_commit_, match_);
  ClearInflight();
}

void Progress::OnRestarted() {
  if (state_ == State::kSnapshot) return;  // its transfer fails by itself
  const LogIndex from = match_ + 1;
  match_ = {};
  told_commit_ = {};
  state_ = State::kProbe;
  next_ = from;
  probe_sent_ = false;
  ClearInflight();
}

void Progress::ClearInflight() {
  inflight_.clear();
  inflight_bytes_ = 0;
}

}  // namespace quorate::raft

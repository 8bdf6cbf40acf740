#include "replica/reads.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"

namespace quorate::replica {
namespace {

constexpr BootTime kNever{Duration::max()};

}  // namespace

void Reads::Add(BootTime now, ReadCall call, Actions& actions) {
  if (count_ >= limits::kReadWaitersMax) {
    actions.completions.push_back(
        [done = std::move(call.done)] { done(absl::ResourceExhaustedError("too many reads are waiting")); });
    return;
  }
  ++count_;
  earliest_ = std::min(earliest_, now + call.timeout);
  waiting_.push_back({now + call.timeout, std::move(call.done)});
}

std::optional<uint64_t> Reads::Start(BootTime now, bool probe) {
  if (!CanStart(now)) return std::nullopt;
  if (waiting_.empty() && waiting_barrier_ == 0 && !probe) return std::nullopt;
  round_id_ = next_id_++;
  round_started_ = now;
  asked_ = std::exchange(waiting_, {});
  asked_barrier_ = std::exchange(waiting_barrier_, 0);
  return round_id_;
}

void Reads::Retry(BootTime not_before) {
  round_id_ = 0;
  not_before_ = not_before;
  waiting_.insert(waiting_.end(), std::make_move_iterator(asked_.begin()),
                  std::make_move_iterator(asked_.end()));
  asked_.clear();
  waiting_barrier_ = std::max(waiting_barrier_, std::exchange(asked_barrier_, 0));
}

void Reads::OnResult(BootTime now, const raft::ReadResult& result, LogIndex applied, Actions& actions) {
  if (result.id != round_id_ || round_id_ == 0) return;
  if (!result.ok) return Retry(now + retry_after_);
  round_id_ = 0;
  Confirmed confirmed{std::exchange(asked_, {}), std::exchange(asked_barrier_, 0)};
  if (applied >= result.index) return Complete(now, std::move(confirmed), actions);
  Confirmed& at = confirmed_[result.index];
  at.barrier = std::max(at.barrier, confirmed.barrier);
  std::move(confirmed.waiters.begin(), confirmed.waiters.end(), std::back_inserter(at.waiters));
}

void Reads::OnApplied(BootTime now, LogIndex applied, Actions& actions) {
  while (!confirmed_.empty() && confirmed_.begin()->first <= applied) {
    auto node = confirmed_.extract(confirmed_.begin());
    Complete(now, std::move(node.mapped()), actions);
  }
}

void Reads::Complete(BootTime now, Confirmed confirmed, Actions& actions) {
  last_success_ = now;
  count_ -= confirmed.waiters.size();
  actions.barrier_completed = std::max(actions.barrier_completed, confirmed.barrier);
  for (Waiter& waiter : confirmed.waiters)
    actions.completions.push_back([done = std::move(waiter.done)] { done(absl::OkStatus()); });
}

void Reads::OnLeaderChange() {
  if (round_id_ != 0) Retry({});
  not_before_ = {};
}

void Reads::Expire(BootTime now, bool leader_known, Actions& actions) {
  if (round_id_ != 0 && now >= round_started_ + attempt_timeout_) Retry(now);
  if (now < earliest_) return;
  earliest_ = kNever;
  const absl::Status why = leader_known ? absl::DeadlineExceededError("no quorum confirmed the read in time")
                                        : absl::UnavailableError("the group has no leader");
  const auto expire = [&](std::vector<Waiter>& waiters) {
    std::erase_if(waiters, [&](Waiter& waiter) {
      if (now < waiter.deadline) {
        earliest_ = std::min(earliest_, waiter.deadline);
        return false;
      }
      --count_;
      actions.completions.push_back([done = std::move(waiter.done), why] { done(why); });
      return true;
    });
  };
  expire(waiting_);
  expire(asked_);
  for (auto& [index, confirmed] : confirmed_) expire(confirmed.waiters);
}

BootTime Reads::NextDeadline() const {
  if (round_id_ != 0) return std::min(earliest_, round_started_ + attempt_timeout_);
  if (!waiting_.empty() || waiting_barrier_ != 0) return std::min(earliest_, not_before_);
  return earliest_;
}

void Reads::FailAll(Actions& actions) {
  const auto fail = [&](std::vector<Waiter>& waiters) {
    for (Waiter& waiter : waiters)
      actions.completions.push_back(
          [done = std::move(waiter.done)] { done(absl::UnavailableError("the replica is stopping")); });
    waiters.clear();
  };
  fail(waiting_);
  fail(asked_);
  for (auto& [index, confirmed] : confirmed_) fail(confirmed.waiters);
  confirmed_.clear();
  count_ = 0;
}

}  // namespace quorate::replica

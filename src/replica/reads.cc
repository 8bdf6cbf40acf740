#include "replica/reads.h"

#include <algorithm>
#include <utility>

#include "base/limits.h"
#include "base/sim_hooks.h"

namespace quorate::replica {
namespace {

constexpr BootTime kNever{Duration::max()};

}  // namespace

void Reads::Add(BootTime now, ReadCall call, LogIndex applied, Duration hold, Actions& actions) {
  if (count_ >= limits::kReadWaitersMax) {
    actions.completions.push_back(
        [done = std::move(call.done)] { done(absl::ResourceExhaustedError("too many reads are waiting")); });
    return;
  }
  Waiter waiter{now + call.timeout, std::move(call.done)};
  if (call.target != LogIndex{} && applied >= call.target) {
    actions.completions.push_back([done = std::move(waiter.done)] { done(absl::OkStatus()); });
    return;
  }
  ++count_;
  earliest_ = std::min(earliest_, waiter.deadline);
  if (call.target == LogIndex{}) {
    waiting_.push_back(std::move(waiter));
    return;
  }
  const BootTime held_until = std::min(now + hold, waiter.deadline);
  earliest_held_ = std::min(earliest_held_, held_until);
  held_.emplace(call.target, HeldWaiter{std::move(waiter), held_until});
}

void Reads::ReleaseHeld(LogIndex applied, Actions& actions) {
  const auto end = held_.upper_bound(applied);
  for (auto it = held_.begin(); it != end; ++it) {
    --count_;
    actions.completions.push_back([done = std::move(it->second.waiter.done)] { done(absl::OkStatus()); });
  }
  held_.erase(held_.begin(), end);
}

// Out of budget: what they wait for may never be committed. ReadIndex tells.
void Reads::ExpireHeld(BootTime now) {
  if (now < earliest_held_) return;
  earliest_held_ = kNever;
  for (auto it = held_.begin(); it != held_.end();) {
    if (now < it->second.held_until) {
      earliest_held_ = std::min(earliest_held_, it->second.held_until);
      ++it;
      continue;
    }
    waiting_.push_back(std::move(it->second.waiter));
    it = held_.erase(it);
  }
}

void Reads::AddBarrier(uint64_t ticket) {
  if (SIM_MUTANT("read-joins-a-round-under-way") && round_id_ != 0) {
    asked_barrier_ = std::max(asked_barrier_, ticket);
  } else {
    waiting_barrier_ = std::max(waiting_barrier_, ticket);
  }
}

std::optional<uint64_t> Reads::Start(BootTime now, bool probe) {
  if (!CanStart(now) || round_id_ != 0) return std::nullopt;
  if (waiting_.empty() && waiting_barrier_ == 0 && !probe) return std::nullopt;
  round_id_ = next_id_++;
  ++rounds_;
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
  ReleaseHeld(applied, actions);
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
  ExpireHeld(now);
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
  for (const auto& [index, held] : held_) earliest_ = std::min(earliest_, held.waiter.deadline);
}

BootTime Reads::NextDeadline() const { return std::min(earliest_held_, NextRoundDeadline()); }

BootTime Reads::NextRoundDeadline() const {
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
  for (auto& [index, held] : held_)
    actions.completions.push_back(
        [done = std::move(held.waiter.done)] { done(absl::UnavailableError("the replica is stopping")); });
  held_.clear();
  confirmed_.clear();
  count_ = 0;
}

}  // namespace quorate::replica

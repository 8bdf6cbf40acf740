// The read gate (base/read_view.h) of a replica: its read lease, and tickets for rounds of ReadIndex.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>
#include <optional>

#include "base/read_view.h"

namespace quorate::replica {

// At most one round is under way and one more asked for; whoever comes meanwhile shares the latter. A ticket
// is the number of the round that will carry it: the first to start after BeginBarrier() was called.
class LeaseGate final : public ReadGate {
 public:
  // `wake` is called, from any thread, when a round becomes wanted.
  explicit LeaseGate(std::function<void()> wake) : wake_(std::move(wake)) {}

  bool HoldsLease(BootTime now) const override { return now.since_boot.count() < lease_until_.load(); }
  BootTime FreshAsOf() const override { return {Duration(fresh_as_of_.load())}; }
  uint64_t BeginBarrier() override;
  uint64_t completed() const override { return completed_.load(); }
  uint64_t Subscribe(std::function<void()> wake) override;
  void Unsubscribe(uint64_t id) override;

  // The driver's thread. A round is wanted that has not started:
  bool Wanted() const { return wanted_.load() > started_.load(); }
  // Starts it; gives its number. BeginBarrier() calls that return from now on are for the next one.
  uint64_t StartRound() { return started_.fetch_add(1) + 1; }
  // Round `ticket` and all before it are good: this replica has applied what they ask for.
  void Complete(uint64_t ticket);

  // The driver's thread. What the lease is from now on: after what is pending was published, and before the
  // messages leave that depend on it.
  void SetLease(BootTime until) { lease_until_.store(until.since_boot.count()); }
  void SetFresh(BootTime as_of) { fresh_as_of_.store(as_of.since_boot.count()); }
  void SetLogLast(LogIndex index) { log_last_.store(index.value); }
  // The apply thread.
  void SetApplied(LogIndex index) { applied_.store(index.value); }

  // For readers of the store. With a lease at `now` (read after the request came): what is read once this
  // index is applied is linearizable, and so is anything newer. The log's end is taken after the lease was
  // checked.
  std::optional<LogIndex> TargetUnderLease(BootTime now) const {
    if (!HoldsLease(now)) return std::nullopt;
    return LogIndex{log_last_.load()};
  }
  LogIndex applied() const { return LogIndex{applied_.load()}; }

 private:
  const std::function<void()> wake_;
  std::atomic<int64_t> lease_until_{kNeverFresh.since_boot.count()};
  std::atomic<int64_t> fresh_as_of_{kNeverFresh.since_boot.count()};
  std::atomic<uint64_t> log_last_{0}, applied_{0};
  std::atomic<uint64_t> started_{0}, wanted_{0}, completed_{0};
  std::mutex mu_;
  uint64_t last_id_ = 0;                                   // guarded by mu_
  std::map<uint64_t, std::function<void()>> subscribers_;  // guarded by mu_, which is held while calling
};

}  // namespace quorate::replica

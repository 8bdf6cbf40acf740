// The read gate (base/read_view.h) of a replica: tickets for rounds of ReadIndex.
#pragma once

#include <atomic>
#include <functional>
#include <map>
#include <mutex>

#include "base/read_view.h"

namespace quorate::replica {

// At most one round is under way and one more asked for; whoever comes meanwhile shares the latter. A ticket
// is the number of the round that will carry it: the first to start after BeginBarrier() was called.
class BarrierGate final : public ReadGate {
 public:
  // `wake` is called, from any thread, when a round becomes wanted.
  explicit BarrierGate(std::function<void()> wake) : wake_(std::move(wake)) {}

  // The one place that read leases (design note read-leases) will change: without a lease nobody reads alone.
  bool MayReadLocally() const override { return false; }
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

 private:
  const std::function<void()> wake_;
  std::atomic<uint64_t> started_{0}, wanted_{0}, completed_{0};
  std::mutex mu_;
  uint64_t last_id_ = 0;                                   // guarded by mu_
  std::map<uint64_t, std::function<void()>> subscribers_;  // guarded by mu_, which is held while calling
};

}  // namespace quorate::replica

#include "replica/lease_gate.h"

namespace quorate::replica {

uint64_t LeaseGate::BeginBarrier() {
  // Round `ticket` starts after this load, hence after the caller received what it wants to answer.
  const uint64_t ticket = started_.load() + 1;
  uint64_t wanted = wanted_.load();
  while (wanted < ticket) {
    if (wanted_.compare_exchange_weak(wanted, ticket)) {
      wake_();
      break;
    }
  }
  return ticket;
}

uint64_t LeaseGate::Subscribe(std::function<void()> wake) {
  std::lock_guard lock(mu_);
  subscribers_.emplace(++last_id_, std::move(wake));
  return last_id_;
}

void LeaseGate::Unsubscribe(uint64_t id) {
  std::lock_guard lock(mu_);
  subscribers_.erase(id);
}

void LeaseGate::Complete(uint64_t ticket) {
  if (ticket <= completed_.load()) return;
  completed_.store(ticket);
  std::lock_guard lock(mu_);
  for (const auto& [id, wake] : subscribers_) wake();
}

}  // namespace quorate::replica

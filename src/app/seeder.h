// Gives a new group its first content, and keeps what load balancers ask for up to date.
#pragma once

#include <atomic>
#include <functional>
#include <thread>

#include "kv/ordered_map.h"
#include "replica/client.h"
#include "rsm/command.h"
#include "serve/respond.h"

namespace quorate::app {

// One thread. `client` and `map` outlive it.
class Seeder {
 public:
  Seeder(replica::Client& client, const kv::MapReader& map, rsm::Seed seed);

  // The group was seeded, now or long ago. Any thread.
  bool done() const { return done_.load(std::memory_order_acquire); }
  // What `leader.health.quorate. CH TXT` says; polled, at most 100 ms old.
  const std::atomic<serve::LeaderHealth>& health() const { return health_; }

 private:
  void Run(std::stop_token stop);
  bool TrySeed();

  replica::Client& client_;
  const kv::MapReader& map_;
  const rsm::Seed seed_;
  std::atomic<bool> done_{false};
  std::atomic<serve::LeaderHealth> health_{serve::LeaderHealth::kNoLeader};
  std::jthread thread_;
};

}  // namespace quorate::app

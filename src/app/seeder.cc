#include "app/seeder.h"

#include <condition_variable>
#include <future>
#include <mutex>

#include "kv/store.h"
#include "rsm/read.h"

namespace quorate::app {
namespace {

constexpr Duration kAttempt = std::chrono::seconds(2), kPoll = std::chrono::milliseconds(100);

absl::Status AwaitRead(replica::Client& client) {
  auto promise = std::make_shared<std::promise<absl::Status>>();
  client.Read(kAttempt, [promise](absl::Status status) { promise->set_value(std::move(status)); });
  return promise->get_future().get();
}

replica::ProposeOutcome AwaitPropose(replica::Client& client, std::string command) {
  auto promise = std::make_shared<std::promise<replica::ProposeOutcome>>();
  client.Propose(std::move(command), kAttempt,
                 [promise](replica::ProposeOutcome outcome) { promise->set_value(std::move(outcome)); });
  return promise->get_future().get();
}

}  // namespace

Seeder::Seeder(replica::Client& client, const kv::MapReader& map, rsm::Seed seed)
    : client_(client),
      map_(map),
      seed_(std::move(seed)),
      thread_([this](std::stop_token stop) { Run(stop); }) {}

void Seeder::Run(std::stop_token stop) {
  std::mutex mu;
  std::condition_variable_any wake;
  std::unique_lock lock(mu);
  while (!stop.stop_requested()) {
    const raft::Status status = client_.Status().raft;
    health_.store(status.role == raft::Role::kLeader ? serve::LeaderHealth::kLeader
                  : status.leader                    ? serve::LeaderHealth::kFollower
                                                     : serve::LeaderHealth::kNoLeader,
                  std::memory_order_relaxed);
    if (!done() && status.leader && TrySeed()) done_.store(true, std::memory_order_release);
    wake.wait_for(lock, stop, kPoll, [] { return false; });
  }
}

// Every replica of a new group tries; the state machine takes the first and refuses the others.
bool Seeder::TrySeed() {
  if (seed_.zones.empty()) return true;
  if (!AwaitRead(client_).ok()) return false;
  if (kv::Get(map_, rsm::kSeededKey)) return true;
  rsm::Command command;
  command.origin = "seed";
  command.body = seed_;
  const auto outcome = AwaitPropose(client_, rsm::EncodeCommand(command));
  return std::holds_alternative<replica::Decided>(outcome);
}

}  // namespace quorate::app

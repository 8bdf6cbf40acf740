#include "app/cookie_roller.h"

#include <openssl/rand.h>

#include <condition_variable>
#include <future>
#include <mutex>

#include "rsm/command.h"
#include "rsm/command_tags.h"

namespace quorate::app {
namespace {

constexpr Duration kPoll = std::chrono::seconds(1), kAttempt = std::chrono::seconds(5);

}  // namespace

CookieRoller::CookieRoller(replica::Client& client, ViewHub<zone::View>& views)
    : client_(client), views_(views), thread_([this](std::stop_token stop) { Run(stop); }) {}

void CookieRoller::Run(std::stop_token stop) {
  std::mutex mu;
  std::condition_variable_any wake;
  std::unique_lock lock(mu);
  while (!stop.stop_requested()) {
    if (IsDue()) Roll();
    wake.wait_for(lock, stop, kPoll, [] { return false; });
  }
}

bool CookieRoller::IsDue() const {
  const replica::GroupStatus status = client_.Status();
  if (status.raft.role != raft::Role::kLeader ||
      status.raft.configuration.feature_level < rsm::kFeatureLevelOfDns)
    return false;
  const auto view = views_.Get();
  const auto& cookies = view->zones->keyring().cookies;
  return !cookies || status.group_time - cookies->rolled_at >= kCookieRollInterval;
}

void CookieRoller::Roll() {
  const auto view = views_.Get();
  const auto& cookies = view->zones->keyring().cookies;
  rsm::CookieSecretRoll roll{.rolls = cookies ? cookies->rolls : 0};
  if (RAND_bytes(roll.fresh.data(), static_cast<int>(roll.fresh.size())) != 1) return;  // the next turn
  rsm::Command command;
  command.origin = "cookie roller";
  command.body = roll;
  const auto done = std::make_shared<std::promise<void>>();
  client_.Propose(rsm::EncodeCommand(command), kAttempt, [done](const auto&) { done->set_value(); });
  // Whatever came of it: the next turn looks again.
  done->get_future().wait();
}

}  // namespace quorate::app

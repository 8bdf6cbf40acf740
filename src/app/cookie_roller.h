// Sees to it that the group has secrets for DNS cookies, and that they are rolled (RFC 9018 5).
#pragma once

#include <thread>

#include "base/read_view.h"
#include "replica/client.h"
#include "zone/view.h"

namespace quorate::app {

// A cookie is good for an hour at most (RFC 9018 4.3): a roll a day takes none from anybody.
inline constexpr Duration kCookieRollInterval = std::chrono::hours(24);

// One thread, of which only the leader's does anything: it proposes a roll when the last one is older than
// the interval, by group time. Both outlive this.
class CookieRoller {
 public:
  CookieRoller(replica::Client& client, ViewHub<zone::View>& views);

 private:
  void Run(std::stop_token stop);
  bool IsDue() const;
  void Roll();

  replica::Client& client_;
  ViewHub<zone::View>& views_;
  std::jthread thread_;
};

}  // namespace quorate::app

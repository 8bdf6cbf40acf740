// What the UDP and TCP servers are told alike.
#pragma once

#include <atomic>
#include <vector>

#include "base/clock.h"
#include "base/limits.h"
#include "base/read_view.h"
#include "serve/rate_limit.h"
#include "serve/respond.h"
#include "serve/slow_door.h"
#include "serve/socket_address.h"
#include "zone/view.h"

namespace quorate::serve {

class TlsCertificates;

// What a server answers from. All of it outlives the server.
struct DataSource {
  const ViewHub<zone::View>& views;
  ReadGate& gate;
  const Clock& clock;
  // Read once per batch into RespondConfig::health.
  const std::atomic<LeaderHealth>& health;
  // For what is not for the fast path; null: that is answered NOTIMP.
  SlowDoor* slow = nullptr;
};

// For RespondConfig::wall_seconds.
inline uint32_t WallSeconds(const Clock& clock) {
  return static_cast<uint32_t>(
      std::chrono::duration_cast<std::chrono::seconds>(clock.Wall().since_epoch).count());
}

struct ServerOptions {
  std::vector<SocketAddress> addresses;  // no wildcard: see ExpandWildcard. Port 0: any, see addresses().
  int workers = 1;                       // threads, each with a socket of its own for each address
  // A query waits at most this long for what touches its answer, and then, or without a lease at once, at
  // most this long for a read barrier; then the consistency of its zone decides.
  Duration hold_budget = std::chrono::milliseconds(250);
  // TCP: a connection without a whole query, or that takes no answer, for so long is closed (RFC 7766 6.2.3).
  Duration tcp_idle = std::chrono::seconds(10);
  // Connections of one client to one worker; over it the one of these that is idle for longest goes.
  size_t tcp_per_client = limits::kTcpConnectionsMax;
  TlsCertificates* tls = nullptr;  // TCP: DNS over TLS (RFC 7858); outlives the server
  RateLimits rate_limits;          // UDP
  RespondConfig respond;
};

}  // namespace quorate::serve

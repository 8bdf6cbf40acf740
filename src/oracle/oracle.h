// `quorate oracle`: the process that forms groups.
#pragma once

#include <string>

#include "absl/status/status.h"

namespace quorate::oracle {

struct OracleOptions {
  std::string listen =
      "127.0.0.1:8050";  // ip:port or [ip6]:port; loopback only, since the door has no TLS yet
  std::string data_dir;  // keeps the state; created if missing
};

// Serves until SIGTERM or SIGINT, then answers what it has begun and returns OK. The calling thread does all
// the work. The error says what to do: an address in use or off loopback, a state that cannot be used.
absl::Status RunOracle(const OracleOptions& options);

}  // namespace quorate::oracle

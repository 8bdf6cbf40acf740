// `quorate oracle`: the process that forms groups.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "api/http/listener.h"
#include "oracle/service.h"

namespace quorate::oracle {

struct OracleOptions {
  std::string listen =
      "127.0.0.1:8050";  // ip:port or [ip6]:port; loopback only, since the door has no TLS yet
  std::string data_dir;  // keeps the state; created if missing
};

// The door of `service`, which must outlive it. The error says what to do: an address off loopback or in use.
absl::StatusOr<std::unique_ptr<api::Listener>> Listen(const std::string& address, Service& service);

// Serves until SIGTERM or SIGINT, then returns OK. Blocks those signals in the calling thread and in the
// threads it starts. The error says what to do.
absl::Status RunOracle(const OracleOptions& options);

}  // namespace quorate::oracle

// What `quorate serve` is told of the DNS data plane, as the data plane takes it.
#pragma once

#include "absl/status/statusor.h"
#include "app/serve_config.h"
#include "serve/worker_options.h"

namespace quorate::app {

// Everything of it that can be wrong without touching the disk or the network.
absl::Status ValidateDns(const ServeOptions& options);

// Addresses and what depends on the group are left out. `options` is valid.
serve::ServerOptions DnsServerOptions(const ServeOptions& options);

// The addresses of `texts`, wildcards as each address of this machine.
absl::StatusOr<std::vector<serve::SocketAddress>> DnsAddresses(const std::vector<std::string>& texts);

}  // namespace quorate::app

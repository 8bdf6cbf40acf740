// Opens the sockets of the data plane. Errors name the address, the port and what to do about it.
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "serve/socket_address.h"
#include "serve/unique_fd.h"

namespace quorate::serve {

enum class SocketKind { kUdp, kTcp };

// For each address `count` sockets, bound with SO_REUSEPORT (IPv6: IPV6_V6ONLY); TCP sockets listen. All are
// non-blocking for receiving. Fails where any other socket, of whatever program, already has the address:
// without that check SO_REUSEPORT would let two servers share it silently. Result [i][j]: address i, socket
// j; port 0 becomes the same port for all sockets of one address.
absl::StatusOr<std::vector<std::vector<UniqueFd>>> OpenSockets(SocketKind kind,
                                                               const std::vector<SocketAddress>& addresses,
                                                               size_t count);

// The address that `fd` is bound to.
SocketAddress BoundAddress(int fd);

}  // namespace quorate::serve

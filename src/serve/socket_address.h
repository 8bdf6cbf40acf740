// An IPv4 or IPv6 address with a port, as the kernel takes it.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/statusor.h"

namespace quorate::serve {

class SocketAddress {
 public:
  SocketAddress() { storage_.sin6_family = AF_UNSPEC; }

  // "192.0.2.1:53" or "[2001:db8::1]:53": numeric only. kInvalidArgument says what is wrong with it.
  static absl::StatusOr<SocketAddress> FromText(std::string_view text);
  static SocketAddress FromSockaddr(const sockaddr* address, socklen_t length);

  std::string ToText() const;
  int family() const { return storage_.sin6_family; }
  uint16_t port() const;
  std::array<uint8_t, 16> octets() const;  // IPv4 as ::ffff:a.b.c.d
  SocketAddress WithPort(uint16_t port) const;
  bool IsWildcard() const;  // 0.0.0.0 or ::

  const sockaddr* get() const { return reinterpret_cast<const sockaddr*>(&storage_); }
  sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage_); }
  socklen_t size() const { return family() == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6); }
  static constexpr socklen_t capacity() { return sizeof(sockaddr_in6); }

 private:
  sockaddr_in6 storage_{};  // large enough for sockaddr_in, which has the family at the same place
};

// `address`, or, for a wildcard, that port on each address of its family that this machine has now: a socket
// bound to the wildcard could answer from another address than the one that was asked.
absl::StatusOr<std::vector<SocketAddress>> ExpandWildcard(const SocketAddress& address);

}  // namespace quorate::serve

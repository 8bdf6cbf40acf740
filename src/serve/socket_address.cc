#include "serve/socket_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <ifaddrs.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <memory>

namespace quorate::serve {
namespace {

absl::Status Invalid(std::string_view text, std::string_view why) {
  return absl::InvalidArgumentError(
      fmt::format("'{}' is not an address: {} (write 192.0.2.1:53 or [2001:db8::1]:53)", text, why));
}

const sockaddr_in& AsIn(const sockaddr_in6& storage) { return reinterpret_cast<const sockaddr_in&>(storage); }
sockaddr_in& AsIn(sockaddr_in6& storage) { return reinterpret_cast<sockaddr_in&>(storage); }

}  // namespace

absl::StatusOr<SocketAddress> SocketAddress::FromText(std::string_view text) {
  const size_t colon = text.rfind(':');
  if (colon == std::string_view::npos) return Invalid(text, "the port is missing");
  const std::string_view digits = text.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  if (error != std::errc() || end != digits.data() + digits.size()) return Invalid(text, "bad port");
  std::string host(text.substr(0, colon));
  SocketAddress out;
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') {
    host = host.substr(1, host.size() - 2);
    if (inet_pton(AF_INET6, host.c_str(), &out.storage_.sin6_addr) != 1)
      return Invalid(text, "bad IPv6 address");
    out.storage_.sin6_family = AF_INET6;
  } else {
    if (inet_pton(AF_INET, host.c_str(), &AsIn(out.storage_).sin_addr) != 1)
      return Invalid(text, "bad IPv4 address");
    out.storage_.sin6_family = AF_INET;
  }
  return out.WithPort(port);
}

SocketAddress SocketAddress::FromSockaddr(const sockaddr* address, socklen_t length) {
  SocketAddress out;
  std::memcpy(&out.storage_, address, std::min<size_t>(length, sizeof out.storage_));
  return out;
}

std::string SocketAddress::ToText() const {
  char host[INET6_ADDRSTRLEN] = "";
  if (family() == AF_INET6) {
    inet_ntop(AF_INET6, &storage_.sin6_addr, host, sizeof host);
    return fmt::format("[{}]:{}", host, port());
  }
  inet_ntop(AF_INET, &AsIn(storage_).sin_addr, host, sizeof host);
  return fmt::format("{}:{}", host, port());
}

uint16_t SocketAddress::port() const { return ntohs(storage_.sin6_port); }

std::array<uint8_t, 16> SocketAddress::octets() const {
  std::array<uint8_t, 16> out{};
  if (family() == AF_INET6) {
    std::memcpy(out.data(), &storage_.sin6_addr, 16);
  } else {
    out[10] = out[11] = 0xff;
    std::memcpy(out.data() + 12, &AsIn(storage_).sin_addr, 4);
  }
  return out;
}

SocketAddress SocketAddress::WithPort(uint16_t port) const {
  static_assert(offsetof(sockaddr_in, sin_port) == offsetof(sockaddr_in6, sin6_port));
  SocketAddress out = *this;
  out.storage_.sin6_port = htons(port);
  return out;
}

bool SocketAddress::IsWildcard() const {
  if (family() == AF_INET) return AsIn(storage_).sin_addr.s_addr == htonl(INADDR_ANY);
  return IN6_IS_ADDR_UNSPECIFIED(&storage_.sin6_addr);
}

absl::StatusOr<std::vector<SocketAddress>> ExpandWildcard(const SocketAddress& address) {
  if (!address.IsWildcard()) return std::vector{address};
  ifaddrs* list = nullptr;
  if (getifaddrs(&list) != 0)
    return absl::UnavailableError(
        fmt::format("cannot list this machine's addresses: {}", std::strerror(errno)));
  const std::unique_ptr<ifaddrs, decltype(&freeifaddrs)> owner(list, &freeifaddrs);
  std::vector<SocketAddress> out;
  for (const ifaddrs* i = list; i != nullptr; i = i->ifa_next) {
    if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != address.family()) continue;
    const auto found = SocketAddress::FromSockaddr(i->ifa_addr, address.size()).WithPort(address.port());
    const auto same = [&](const SocketAddress& a) { return a.ToText() == found.ToText(); };
    if (std::none_of(out.begin(), out.end(), same)) out.push_back(found);
  }
  if (out.empty())
    return absl::UnavailableError(fmt::format("no interface has an address for {}", address.ToText()));
  return out;
}

}  // namespace quorate::serve

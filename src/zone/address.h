// Addresses as settings and access rules hold them. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace quorate::zone {

// IPv6; IPv4 is mapped (::ffff:192.0.2.1, RFC 4291 2.5.5.2).
using Address = std::array<uint8_t, 16>;

Address MapIpv4(const uint8_t (&octets)[4]);
bool IsIpv4(const Address& address);
// "192.0.2.1", "2001:db8::1"; nullopt: neither.
std::optional<Address> AddressFromText(std::string_view text);
std::string ToText(const Address& address);

struct Network {
  Address address{};     // the bits behind the prefix are zero
  uint8_t prefix = 128;  // of the 128 bits: 96 more than people write for IPv4
  bool Contains(const Address& other) const;
  bool operator==(const Network&) const = default;
};
// "192.0.2.0/24", "2001:db8::/32", "192.0.2.1"; nullopt: anything else, host bits too.
std::optional<Network> NetworkFromText(std::string_view text);
std::string ToText(const Network& network);

}  // namespace quorate::zone

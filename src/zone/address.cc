#include "zone/address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <charconv>
#include <cstring>

namespace quorate::zone {
namespace {

constexpr uint8_t kMapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
constexpr uint8_t kMappedBits = 96;

// Whether the first `bits` bits are the same.
bool SamePrefix(const Address& a, const Address& b, uint8_t bits) {
  const size_t whole = bits / 8, rest = bits % 8;
  if (!std::equal(a.begin(), a.begin() + whole, b.begin())) return false;
  return rest == 0 || ((a[whole] ^ b[whole]) >> (8 - rest)) == 0;
}

bool HasHostBits(const Network& network) {
  for (size_t bit = network.prefix; bit < 128; ++bit) {
    if ((network.address[bit / 8] & (0x80 >> bit % 8)) != 0) return true;
  }
  return false;
}

}  // namespace

Address MapIpv4(const uint8_t (&octets)[4]) {
  Address out;
  std::copy(std::begin(kMapped), std::end(kMapped), out.begin());
  std::copy(std::begin(octets), std::end(octets), out.begin() + sizeof kMapped);
  return out;
}

bool IsIpv4(const Address& address) {
  return std::equal(std::begin(kMapped), std::end(kMapped), address.begin());
}

std::optional<Address> AddressFromText(std::string_view text) {
  const std::string host(text);
  if (host.size() != std::strlen(host.c_str())) return std::nullopt;
  uint8_t v4[4];
  if (inet_pton(AF_INET, host.c_str(), v4) == 1) return MapIpv4(v4);
  Address v6;
  if (inet_pton(AF_INET6, host.c_str(), v6.data()) == 1) return v6;
  return std::nullopt;
}

std::string ToText(const Address& address) {
  char text[INET6_ADDRSTRLEN];
  if (IsIpv4(address)) {
    inet_ntop(AF_INET, address.data() + sizeof kMapped, text, sizeof text);
  } else {
    inet_ntop(AF_INET6, address.data(), text, sizeof text);
  }
  return text;
}

bool Network::Contains(const Address& other) const { return SamePrefix(address, other, prefix); }

std::optional<Network> NetworkFromText(std::string_view text) {
  const size_t slash = text.find('/');
  const auto address = AddressFromText(text.substr(0, slash));
  if (!address) return std::nullopt;
  Network network{.address = *address};
  if (slash == text.npos) return network;
  const std::string_view digits = text.substr(slash + 1);
  unsigned bits = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), bits);
  const unsigned before = IsIpv4(*address) ? kMappedBits : 0;
  if (error != std::errc() || end != digits.data() + digits.size() || digits.size() > 3 ||
      bits > 128 - before)
    return std::nullopt;
  network.prefix = static_cast<uint8_t>(bits + before);
  if (HasHostBits(network)) return std::nullopt;
  return network;
}

std::string ToText(const Network& network) {
  std::string text = ToText(network.address);
  // 0.0.0.0/0 keeps its mapped prefix, so the family can always be told.
  const int bits = network.prefix - (IsIpv4(network.address) ? kMappedBits : 0);
  if (network.prefix != 128) text += "/" + std::to_string(bits);
  return text;
}

}  // namespace quorate::zone

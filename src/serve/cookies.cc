#include "serve/cookies.h"

#include <algorithm>
#include <cstring>

#include "base/siphash.h"
#include "wire/endian.h"
#include "zone/address.h"

namespace quorate::serve {
namespace {

// RFC 9018 4.3.
constexpr int32_t kOldest = 3600, kFuture = 300, kRenewAfter = 1800;
constexpr uint8_t kVersion = 1;
constexpr size_t kHeadBytes = 8;  // version, reserved, timestamp

// RFC 9018 4.4: over the client's cookie, `head` and the client's address.
uint64_t Hash(const zone::CookieSecret& secret, std::string_view client_cookie, const uint8_t* head,
              const std::array<uint8_t, 16>& address) {
  uint8_t input[kClientCookieBytes + kHeadBytes + 16];
  std::memcpy(input, client_cookie.data(), kClientCookieBytes);
  std::memcpy(input + kClientCookieBytes, head, kHeadBytes);
  const size_t skipped = zone::IsIpv4(address) ? 12 : 0;
  std::memcpy(input + kClientCookieBytes + kHeadBytes, address.data() + skipped, address.size() - skipped);
  return SipHash24(secret, {input, sizeof input - skipped});
}

bool IsOf(const zone::CookieSecret& secret, std::string_view option, const std::array<uint8_t, 16>& address) {
  const auto* server = reinterpret_cast<const uint8_t*>(option.data()) + kClientCookieBytes;
  const uint64_t hash = Hash(secret, option, server, address);
  uint8_t difference = 0;  // not where it is
  for (size_t i = 0; i < 8; ++i) difference |= server[kHeadBytes + i] ^ static_cast<uint8_t>(hash >> (8 * i));
  return difference == 0;
}

}  // namespace

ServerCookie MakeServerCookie(const zone::CookieSecret& secret, std::string_view client_cookie,
                              const std::array<uint8_t, 16>& address, uint32_t now) {
  ServerCookie out{kVersion};
  for (size_t i = 0; i < 4; ++i) out[4 + i] = static_cast<uint8_t>(now >> (24 - 8 * i));
  const uint64_t hash = Hash(secret, client_cookie, out.data(), address);
  for (size_t i = 0; i < 8; ++i) out[kHeadBytes + i] = static_cast<uint8_t>(hash >> (8 * i));
  return out;
}

CookieCheck CheckCookie(const zone::CookieSecrets& secrets, std::string_view option,
                        const std::array<uint8_t, 16>& address, uint32_t now) {
  CookieCheck check;
  if (option.size() == kClientCookieBytes + kServerCookieBytes && option[kClientCookieBytes] == kVersion) {
    const auto* server = reinterpret_cast<const uint8_t*>(option.data()) + kClientCookieBytes;
    const uint32_t made = uint32_t{wire::LoadU16(server + 4)} << 16 | wire::LoadU16(server + 6);
    const auto age = static_cast<int32_t>(now - made);  // RFC 1982
    const bool current = IsOf(secrets.current, option, address) || IsOf(secrets.next, option, address);
    check.valid = age <= kOldest && age >= -kFuture && (current || IsOf(secrets.previous, option, address));
    if (check.valid && current && age <= kRenewAfter) {
      std::copy_n(server, kServerCookieBytes, check.next.begin());
      return check;
    }
  }
  check.next = MakeServerCookie(secrets.current, option.substr(0, kClientCookieBytes), address, now);
  return check;
}

}  // namespace quorate::serve

// DNS cookies (RFC 7873) whose server part is made as RFC 9018 says, so that every replica of a group, and
// any other server that has its secret, knows those of the others. Pure; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

#include "zone/keyring.h"

namespace quorate::serve {

inline constexpr size_t kClientCookieBytes = 8, kServerCookieBytes = 16;
using ServerCookie = std::array<uint8_t, kServerCookieBytes>;

// Whether `option` is a COOKIE option's data: 8 octets, or 16 to 40 (RFC 7873 5.2.2).
constexpr bool IsCookie(std::string_view option) {
  return option.size() == kClientCookieBytes || (option.size() >= 16 && option.size() <= 40);
}

// `client_cookie` has 8 octets; `address` is IPv6, or IPv4 mapped; `now` counts seconds since 1970, modulo
// 2^32.
ServerCookie MakeServerCookie(const zone::CookieSecret& secret, std::string_view client_cookie,
                              const std::array<uint8_t, 16>& address, uint32_t now);

struct CookieCheck {
  bool valid = false;
  ServerCookie next{};  // to send back: what the client sent, while it is young, or a new one
};
// `option` is a COOKIE option's data.
CookieCheck CheckCookie(const zone::CookieSecrets& secrets, std::string_view option,
                        const std::array<uint8_t, 16>& address, uint32_t now);

}  // namespace quorate::serve

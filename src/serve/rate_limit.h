// Response rate limiting (ISC-TN-2012-1): who asks over UDP under a false address must not make us send the
// same answer to its victim again and again. Pure: the time is an input. One thread, a table of fixed size.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "base/types.h"
#include "dns/name.h"
#include "zone/address.h"

namespace quorate::serve {

struct RateLimits {
  uint32_t per_second = 0;  // responses of one kind to one network; 0: no limit
  uint32_t slip = 2;        // of those over it every so many-th goes out truncated; 0: none, 1: all
  uint32_t window = 15;     // seconds: so long at most an account stays overdrawn after the last query
  std::vector<zone::Network> exempt;
};

// A network is a /24 of IPv4, a /56 of IPv6. A kind is the name that the answer comes from (a wildcard or the
// zone that denies for all the names below) with the RCODE; errors are one kind.
class RateLimiter {
 public:
  enum class Verdict : uint8_t { kSend, kTruncate, kDrop };

  // `secret` is random, so that nobody knows who shares an account with whom.
  RateLimiter(RateLimits limits, const std::array<uint8_t, 16>& secret, size_t accounts);

  bool enabled() const { return limits_.per_second > 0; }
  // Books one response. `name` is empty for errors; `kind` is the RCODE and whatever else tells answers
  // apart. No allocation.
  Verdict Book(const zone::Address& client, dns::NameView name, uint8_t kind, BootTime now);

 private:
  struct Account {
    uint64_t tag = 0;       // whose it is; 0: nobody's
    int64_t balance = 0;    // in thousandths of a response
    Duration booked_at{0};  // the last time
    uint32_t over = 0;      // responses over the limit, for `slip`
  };
  static constexpr size_t kWays = 4;  // accounts that one tag may be in; the one longest at rest gives way

  bool IsExempt(const zone::Address& client) const;
  uint64_t TagOf(const zone::Address& client, dns::NameView name, uint8_t kind) const;
  Account& Find(uint64_t tag, BootTime now);

  const RateLimits limits_;
  const std::array<uint8_t, 16> secret_;
  std::vector<Account> accounts_;
};

}  // namespace quorate::serve

#include "serve/rate_limit.h"

#include <algorithm>

#include "base/siphash.h"

namespace quorate::serve {
namespace {

constexpr int64_t kOneResponse = 1000;
constexpr size_t kIpv4Octets = 12 + 3, kIpv6Octets = 7;  // of the mapped address

}  // namespace

RateLimiter::RateLimiter(RateLimits limits, const std::array<uint8_t, 16>& secret, size_t accounts)
    : limits_(std::move(limits)),
      secret_(secret),
      accounts_(limits_.per_second == 0 ? 0 : std::max(accounts / kWays, size_t{1}) * kWays) {}

bool RateLimiter::IsExempt(const zone::Address& client) const {
  return std::any_of(limits_.exempt.begin(), limits_.exempt.end(),
                     [&](const zone::Network& network) { return network.Contains(client); });
}

uint64_t RateLimiter::TagOf(const zone::Address& client, dns::NameView name, uint8_t kind) const {
  uint8_t input[16 + 1 + 255];
  const size_t octets = zone::IsIpv4(client) ? kIpv4Octets : kIpv6Octets;
  std::fill_n(std::copy_n(client.begin(), octets, input), 16 - octets, uint8_t{0});
  input[16] = kind;
  std::transform(name.begin(), name.end(), input + 17,
                 [](char c) { return static_cast<uint8_t>(dns::FoldCase(c)); });
  return SipHash24(secret_, {input, 17 + name.size()}) | 1;
}

RateLimiter::Account& RateLimiter::Find(uint64_t tag, BootTime now) {
  Account* const set = &accounts_[(tag >> 1) % (accounts_.size() / kWays) * kWays];
  Account* oldest = set;
  for (Account* a = set; a != set + kWays; ++a) {
    if (a->tag == tag) return *a;
    if (a->tag == 0 || (oldest->tag != 0 && a->booked_at < oldest->booked_at)) oldest = a;
  }
  *oldest = {
      .tag = tag, .balance = limits_.per_second * kOneResponse, .booked_at = now.since_boot, .over = 0};
  return *oldest;
}

RateLimiter::Verdict RateLimiter::Book(const zone::Address& client, dns::NameView name, uint8_t kind,
                                       BootTime now) {
  if (!enabled() || IsExempt(client)) return Verdict::kSend;
  Account& account = Find(TagOf(client, name, kind), now);
  // A second's worth is kept at most; what is owed, the window's.
  const int64_t most = limits_.per_second * kOneResponse, least = -most * limits_.window;
  const auto millis =
      std::chrono::duration_cast<std::chrono::milliseconds>(now.since_boot - account.booked_at);
  if (millis.count() > 0) {
    const int64_t passed = std::min<int64_t>(millis.count(), 1000 * (int64_t{limits_.window} + 1));
    account.balance = std::min(most, account.balance + passed * limits_.per_second);
    account.booked_at = now.since_boot;
  }
  const bool within = account.balance >= kOneResponse;
  account.balance = std::max(least, account.balance - kOneResponse);
  if (within) return Verdict::kSend;
  return limits_.slip > 0 && ++account.over % limits_.slip == 0 ? Verdict::kTruncate : Verdict::kDrop;
}

}  // namespace quorate::serve

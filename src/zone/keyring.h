// The secrets that a group shares: its TSIG keys (RFC 8945) and what its DNS cookies are made with (RFC
// 9018). They are replicated outside the store, where its clients cannot read them. Pure; any thread.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/types.h"
#include "dns/rr.h"
#include "dns/tsig_algorithm.h"

namespace quorate::zone {

// A change that a key may make by UPDATE.
struct UpdateGrant {
  enum class Kind : uint8_t { kName = 1, kSubtree = 2 };  // the name itself; the name and all below it
  Kind kind = Kind::kSubtree;
  dns::Name name;
  std::vector<dns::RRType> types;  // of these only; empty: of all
  // Whether records of `type` at `owner` are in it; ANY (all of a name) only if all types are.
  bool Covers(const dns::Name& owner, dns::RRType type) const;
  bool operator==(const UpdateGrant&) const = default;
};
// "subtree _acme-challenge.example.org. TXT", "name www.example.org. A AAAA", "subtree example.org.".
Result<UpdateGrant, std::string> GrantFromText(std::string_view text);
std::string ToText(const UpdateGrant& grant);

struct TsigKey {
  dns::Name name;  // in lower case
  dns::TsigAlgorithm algorithm = dns::TsigAlgorithm::kHmacSha256;
  std::string secret;               // octets
  std::vector<UpdateGrant> grants;  // none: whatever the zone's `update` allows
  // Whether its holder may change records of `type` at `owner`, where the zone lets him in.
  bool MayUpdate(const dns::Name& owner, dns::RRType type) const;
  bool operator==(const TsigKey&) const = default;
};

using CookieSecret = std::array<uint8_t, 16>;
// Each roll moves them by one, so that a replica that is one roll behind still knows what the others use.
struct CookieSecrets {
  uint64_t rolls = 0;                          // how many there were
  Duration rolled_at{0};                       // group time of the last
  CookieSecret previous{}, current{}, next{};  // all are accepted; cookies are made with `current`
  bool operator==(const CookieSecrets&) const = default;
};

struct Keyring {
  std::map<dns::Name, TsigKey> keys;
  std::optional<CookieSecrets> cookies;
  // nullptr: no such key. Whatever the case of the name.
  const TsigKey* Find(const dns::Name& name) const;
  bool operator==(const Keyring&) const = default;
};

}  // namespace quorate::zone

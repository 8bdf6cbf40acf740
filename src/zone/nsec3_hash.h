// The hash that NSEC3 owner names are made of (RFC 5155 5), and its text (RFC 4648 7).
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "dns/name.h"

namespace quorate::zone {

using Nsec3Hash = std::array<uint8_t, 20>;  // SHA-1, the only one there is

// What the names of a chain were hashed with: the fields of NSEC3PARAM.
struct Nsec3Params {
  uint16_t iterations = 0;
  std::string_view salt;  // into the record
  bool operator==(const Nsec3Params&) const = default;
};

// Of NSEC3 or NSEC3PARAM rdata: `flags` is their second octet. nullopt: another algorithm, or not
// well-formed.
struct Nsec3Fields {
  Nsec3Params params;
  uint8_t flags = 0;
  std::string_view rest;  // of NSEC3: the next hash with its length, then the types
};
std::optional<Nsec3Fields> ParseNsec3(std::string_view rdata);

// More iterations than this and a chain is not used: resolvers answer SERVFAIL to them anyway, and each is
// work for who asks for names that are not there (RFC 9276 3.1 wants none at all).
inline constexpr uint16_t kNsec3IterationsMax = 500;

// `folded` is in lower case. No allocation. `iterations` times 0.1 us.
Nsec3Hash HashName(dns::NameView folded, const Nsec3Params& params);

// The first label of an NSEC3 owner: a length octet, then base32hex without padding, in lower case.
inline constexpr size_t kNsec3LabelBytes = 32;
using Nsec3Label = std::array<char, 1 + kNsec3LabelBytes>;
Nsec3Label ToLabel(const Nsec3Hash& hash);
// The label without its length, in any case; nullopt: no such hash.
std::optional<Nsec3Hash> FromLabel(std::string_view label);

}  // namespace quorate::zone

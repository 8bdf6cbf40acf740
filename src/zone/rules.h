// The rules that the records of a zone must keep, the same for an edit and for a whole zone.
#pragma once

#include <optional>
#include <span>
#include <string_view>

#include "dns/rr.h"
#include "zone/refusal.h"

namespace quorate::zone {

// RFC 2181 8: a TTL with its highest bit set is 0.
inline uint32_t NormalTtl(uint32_t ttl) { return ttl < 0x80000000u ? ttl : 0; }

// One record by itself: a real type, well-formed rdata, at or below the apex.
std::optional<Refusal> CheckRecord(const dns::Name& apex, const dns::Name& owner, dns::RRType type,
                                   std::string_view rdata);
// All RRsets of one name: what may stand together, what must be at the apex, what cannot be sent.
std::optional<Refusal> CheckNode(const dns::Name& apex, const dns::Name& owner,
                                 std::span<const dns::RRset> rrsets);

// Of these RRsets of a name `changed` is one: whether it could be sent, and the name has not too many.
std::optional<Refusal> CheckSizes(const dns::Name& owner, std::span<const dns::RRset> rrsets,
                                  const dns::RRset& changed);

// RFC 2181 10.1, 4034 3 and 4, 3007 3.1: what DNSSEC itself says of an alias.
bool MayStandBesideCname(dns::RRType type);

Refusal Refuse(RefusalCode code, const dns::Name& owner, dns::RRType type, std::string_view why);

}  // namespace quorate::zone

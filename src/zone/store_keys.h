// How a zone lies in the store (docs/formats-zone.md): one key for an RRset, readable and in canonical order.
//   /dns/example.org./ SOA       /dns/example.org./www A       /dns/org./example!ns1 AAAA
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "dns/rr.h"

namespace quorate::zone {

inline constexpr std::string_view kDnsKeyspace = "/dns/";

// An apex as keys have it: in lower case, without a `/`.
std::string ZoneText(const dns::Name& zone);
// `owner` is at or below `zone`. Whatever the case of the names: the same key. Keys of one zone sort as their
// owners do (RFC 4034 6.1), then by type text.
std::string RecordKey(const dns::Name& zone, const dns::Name& owner, dns::RRType type);
// Every key of the zone and no other, those of zones below it included: first <= key < second.
std::pair<std::string, std::string> ZoneRange(const dns::Name& zone);

struct RecordKeyParts {
  dns::Name zone, owner;  // in lower case
  dns::RRType type = dns::RRType::kA;
};
// nullopt: not a key that RecordKey makes.
std::optional<RecordKeyParts> ParseRecordKey(std::string_view key);

// The value at such a key: the RRset without its type. Decode checks everything that Encode promises but the
// validity of rdata for its type.
std::string EncodeRRset(const dns::RRset& rrset);
std::optional<dns::RRset> DecodeRRset(dns::RRType type, std::string_view value);

}  // namespace quorate::zone

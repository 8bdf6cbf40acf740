// The records by which a signed zone proves what it does not have (RFC 4035 3.1.3, 5155 7.2, 6840 4). Pure;
// no allocation; any thread.
#pragma once

#include "zone/lookup.h"

namespace quorate::zone {

// Nodes of `zone` whose RRset of `type`, with its signatures, makes up the proof; none of them twice.
struct DenialProof {
  static constexpr size_t kRecordsMax = 3;
  dns::RRType type = dns::RRType::kNSEC;  // or kNSEC3
  const Node* nodes[kRecordsMax] = {};
  size_t count = 0;
};

// What the answer to a question for `qname` needs, where `found` is what Lookup said: nothing for plain
// answers, the missing name or type for negative ones, the missing DS for referrals, and that there is no
// closer match for what a wildcard gave. A zone with parts of a chain gives the parts that it has.
DenialProof ProveDenial(const Zone& zone, dns::NameView qname, const LookupResult& found);

}  // namespace quorate::zone

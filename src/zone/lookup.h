// What one zone has to say about one question: a single step of RFC 1034 4.3.2, with RFC 2308, 4592, 6672 and
// 8020. Pure; no allocation; any thread. Names may come in any case. All views live as long as the zone
// version.
#pragma once

#include "zone/zone.h"

namespace quorate::zone {

enum class LookupKind : uint8_t {
  kAnswer,      // `rrset` (for ANY: the first RRset of `node`, see there)
  kCname,       // `rrset` is the CNAME: go on at its target (RFC 1034 4.3.2 step 3a)
  kDname,       // `rrset` is the DNAME of an ancestor: rewrite QNAME and go on (RFC 6672 3.2)
  kDelegation,  // `rrset` is the NS RRset of the cut `node`, `ds` its DS if there is one: a referral
  kNoData,      // the name exists (or a wildcard covers it), the type does not (RFC 2308 2.2)
  kNxDomain,    // neither the name nor a wildcard (RFC 2308 2.1, 8020 2)
  kOutOfZone,   // QNAME is not at or below the apex
};

struct LookupResult {
  LookupKind kind = LookupKind::kOutOfZone;
  // The data come from a wildcard: their owner in the answer is QNAME (RFC 4592 3.3.1). Also with kNoData.
  bool synthesized = false;
  RRsetView rrset;
  RRsetView ds;                // of kDelegation
  const Node* node = nullptr;  // the node the data are at: QNAME's, the wildcard, the cut, the DNAME's
  const Node* closest_encloser =
      nullptr;  // the deepest existing ancestor of QNAME, or QNAME itself (RFC 4592 3.3.1)
};

// For QTYPE ANY the answer is any RRset of `node` (RFC 8482 4.1); the caller picks. At a zone cut DS is
// answered here, by the parent (RFC 4035 3.1.4.1); every other type at or below a cut is a referral. NS and
// DNAME at a wildcard are plain data, never a cut or a redirection for the names it covers (RFC
// 4592 4.2, 4.4).
LookupResult Lookup(const Zone& zone, dns::NameView qname, dns::RRType qtype);

// A and AAAA; empty views where there are none.
struct Addresses {
  RRsetView a, aaaa;
  const Node* node = nullptr;  // where they are
  bool empty() const { return a.empty() && aaaa.empty(); }
};
// Addresses of a nameserver for a referral: the name itself, below cuts too, no wildcards (RFC 9471).
Addresses FindGlue(const Zone& zone, dns::NameView name);
// Addresses that the zone is authoritative for, wildcards included: for additional sections (RFC 1034 4.3.2
// step 6). Write them with the owner `name`.
Addresses FindAddresses(const Zone& zone, dns::NameView name);

// The RRSIG records at `node` that cover `type`; they have the TTL of what they cover (RFC 4034 3).
RRsetView FindSignatures(const Node& node, dns::RRType type);

}  // namespace quorate::zone

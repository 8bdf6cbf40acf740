// What rdata is made of, type by type (RFC 1035 3.3, 3597 4, 4034 6.2): one table for validity, canonical
// form and compression. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "dns/rr.h"

namespace quorate::dns {

// The shape of a type's rdata: fields in order.
//   digit: that many octets      n: a name              s: a <character-string>   S: one or more, to the end
//   p: one length octet, then as many octets            P: the same, at least one
//   b: type bitmaps (RFC 4034 4.1.2), possibly none     t: a CAA tag (RFC 8659 4.1)
//   r: the rest, possibly empty                         R: the rest, not empty
//   L: LOC (RFC 1876 2)  a: APL items (RFC 3123 4)  i: IPSECKEY (RFC 4025 2)  v: SvcParams (RFC 9460 2.2)
struct RdataShape {
  RRType type;
  std::string_view fields;
  bool compressible = false;    // its names may be compressed when sent (RFC 3597 4: only types of RFC 1035)
  bool decompressible = false;  // its names may arrive compressed (RFC 3597 4)
  bool folded = false;          // its names are compared in lower case (RFC 4034 6.2, 6840 5.1)
};
// nullptr: rdata of this type is opaque (RFC 3597). The table is closed: what it calls valid is replicated,
// so it must not change with a library.
const RdataShape* ShapeOf(RRType type);

// Whether `rdata` has exactly the fields of `shape`.
bool Matches(const RdataShape& shape, std::string_view rdata);

// The lower-case form in which rdata is compared (RFC 4034 6.2). `rdata` that does not match its shape stays.
std::string CanonicalRdata(RRType type, std::string_view rdata);

// Splits well-formed rdata at its first name: the octets before it, the name, the rest. nullopt: there is
// none.
struct RdataName {
  std::string_view before;
  NameView name;
  std::string_view after;
};
std::optional<RdataName> FirstName(RRType type, std::string_view rdata);

}  // namespace quorate::dns

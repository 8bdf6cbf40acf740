// A zone as master-file text (RFC 1035 5), that ParseZoneText reads back to the same records.
#pragma once

#include <span>
#include <string>

#include "dns/rr.h"
#include "zone/zone.h"

namespace quorate::zone {

// All RRsets of one name, one line a record: "owner ttl IN type rdata". An RRSIG gets the TTL of the RRset it
// covers (RFC 4034 3), which the one TTL of their common RRset cannot tell.
std::string NodeToText(std::span<const dns::RRset> rrsets);

// The SOA first, then canonical order of names.
std::string ZoneToText(const Zone& zone);

}  // namespace quorate::zone

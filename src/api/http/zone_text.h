// A zone's master file (RFC 1035 5) to RRsets, and what a new zone needs when nothing was said.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/presentation.h"
#include "dns/rr.h"

namespace quorate::api {

// RRsets in canonical order. An RRset whose records have several TTLs gets the smallest (RFC 2181 5.2).
// Errors: syntax, classes other than IN, owners outside the zone, no SOA.
Result<std::vector<dns::RRset>, dns::TextError> RRsetsOfZoneText(const dns::Name& apex,
                                                                 std::string_view text);

// Adds the apex SOA and NS that `rrsets` do not have. Without nameservers: "ns1" below the apex.
void AddApexDefaults(const dns::Name& apex, const std::vector<dns::Name>& nameservers,
                     std::vector<dns::RRset>& rrsets);

}  // namespace quorate::api

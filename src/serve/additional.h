// The additional section: addresses of names that the other sections speak of.
#pragma once

#include "serve/visits.h"
#include "wire/writer.h"
#include "zone/zone_set.h"

namespace quorate::serve {

// Glue for a referral: first that of nameservers at or below the cut, without which nobody gets any further
// (RFC 9471 3.1); then, as far as there is room, that of the others in `zone` (3.2). False: not all of the
// former did fit.
bool AddGlue(const zone::Zone& zone, const zone::RRsetView& ns, wire::MessageWriter& writer, Visits& visits);

// Addresses of the hosts that an answer of NS, MX, SRV, SVCB or HTTPS names, as far as we have them and there
// is room (RFC 1034 4.3.2 step 6, 2782, 9460 4.1). Leaving them out is no truncation (RFC 2181 9).
void AddAddressesOf(const zone::ZoneSet& zones, const zone::RRsetView& answer, wire::MessageWriter& writer,
                    Visits& visits);

}  // namespace quorate::serve

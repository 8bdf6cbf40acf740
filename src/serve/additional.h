// The additional section: what the client would have to ask for next.
#pragma once

#include "serve/signed_writer.h"
#include "serve/visits.h"
#include "zone/zone_set.h"

namespace quorate::serve {

// Glue for a referral: first that of nameservers at or below the cut, without which nobody gets any further
// (RFC 9471 3.1); then, as far as there is room, that of the others in `zone` (3.2). It is not signed. False:
// not all of the former did fit.
bool AddGlue(const zone::Zone& zone, const zone::RRsetView& ns, SignedWriter& writer, Visits& visits);

// For an answer at `owner`, as far as we have it and there is room: addresses of the hosts that NS, MX, SRV,
// SVCB or HTTPS name; what an SVCB or HTTPS in alias mode leads to (RFC 9460 4.1); the SRV records or
// addresses that a NAPTR with flag S or A leads to (RFC 3403 4.1, 3404 4.3); RFC 1034 4.3.2 step 6, 2782.
// Then the addresses of `servers`, an NS RRset of the authority section, or empty. Leaving any of it out is
// no truncation (RFC 2181 9).
void AddAddressesOf(const zone::ZoneSet& zones, dns::NameView owner, const zone::RRsetView& answer,
                    const zone::RRsetView& servers, SignedWriter& writer, Visits& visits);

}  // namespace quorate::serve

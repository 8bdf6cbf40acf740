// Changes that come from a primary (RFC 5936, 1995): the zone becomes exactly what they say, serial,
// signatures and all; only what no zone may be is refused. Pure.
#pragma once

#include "zone/edit.h"

namespace quorate::zone {

// `next` in the place of `old`, which may be nullptr.
EditResult ReplaceExactly(const ZonePtr& old, const ZonePtr& next);
// The edits in their order; one of them sets the SOA.
EditOutcome EditExactly(const ZonePtr& zone, const ZoneEdit& edit);

}  // namespace quorate::zone

// What a consumed catalog asks to be done here (RFC 9432 5). Pure.
#pragma once

#include <vector>

#include "rsm/command.h"
#include "zone/zone_set.h"

namespace quorate::api::xfr {

// Members that are to come become secondaries of the catalog's primaries; those that came by it and are in it
// no more go; one with another label begins anew (5.4); one that another catalog gives up to this one changes
// hands (4.4.1). Zones that are here otherwise are left alone (5.2). Nothing: all is as it should be, or the
// catalog is not loaded or broken (5.1). At most limits::kCatalogMembersMax of its members count.
std::vector<rsm::Command> CatalogChanges(const zone::ZoneSet& zones, const dns::Name& catalog);

}  // namespace quorate::api::xfr

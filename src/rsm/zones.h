// The zones as a view of the store. Pure.
#pragma once

#include <memory>
#include <string>

#include "kv/ordered_map.h"
#include "kv/store.h"
#include "zone/zone_set.h"

namespace quorate::rsm {

// All zones in the store, with their settings. Stops the process (FailStop) over records that do not make a
// valid zone: all were valid when they were applied.
std::shared_ptr<const zone::ZoneSet> RebuildZones(const kv::MapReader& map);

// Puts the zone's SOA anew, changed or not, so that its mod_revision is the revision of the zone's last
// change.
void TouchSoa(const dns::Name& apex, kv::Transaction& txn);

// Settings of a zone; the defaults have no key.
void PutSettings(const dns::Name& apex, const zone::Settings& settings, kv::Transaction& txn);

}  // namespace quorate::rsm

// Reading the store's typed view. Any thread: everything here reads one immutable revision of the map.
#pragma once

#include <functional>
#include <optional>

#include "dns/rr.h"
#include "kv/ordered_map.h"
#include "rsm/outcome.h"
#include "zone/settings.h"

namespace quorate::rsm {

// The newest revision in the map.
Revision CurrentRevision(const kv::MapReader& map);

// In the store once a Seed was applied.
inline constexpr char kSeededKey[] = "/quorate/seeded";

// One RRset as of revision `at`; 0: the newest.
std::optional<StoredRRset> GetRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                                    const dns::Name& owner, dns::RRType type);

// All RRsets of a zone as of `at` (0: the newest), in canonical order of owners, then by type; until `visit`
// returns false. An absent zone has none.
void ForEachRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                  const std::function<bool(const StoredRRset&)>& visit);

// The revision at which the zone last changed (its SOA is put anew by every change); 0 if there is no such
// zone.
Revision ZoneRevision(const kv::MapReader& map, const dns::Name& zone);

// Of a zone as of `at` (0: the newest); the defaults if nothing was set.
zone::Settings GetZoneSettings(const kv::MapReader& map, Revision at, const dns::Name& zone);

}  // namespace quorate::rsm

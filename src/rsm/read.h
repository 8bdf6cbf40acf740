// Reading the store's typed view. Any thread: everything here reads one immutable revision of the map.
#pragma once

#include <functional>
#include <optional>

#include "dns/rr.h"
#include "kv/ordered_map.h"
#include "rsm/outcome.h"

namespace quorate::rsm {

// The newest revision in the map.
Revision CurrentRevision(const kv::MapReader& map);

// One RRset as of revision `at`.
std::optional<StoredRRset> GetRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                                    const dns::Name& owner, dns::RRType type);

// All RRsets of a zone as of `at`, in canonical order of owners, then by type; until `visit` returns false. An absent
// zone has none.
void ForEachRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                  const std::function<bool(const StoredRRset&)>& visit);

// The largest mod_revision among the zone's RRsets, deletions included, that is still in the history: the revision at
// which the zone last changed; 0 if there is no such zone.
Revision ZoneRevision(const kv::MapReader& map, const dns::Name& zone);

}  // namespace quorate::rsm

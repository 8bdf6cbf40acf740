// What changed in a zone from one serial to another, read from the store's history: every change of a zone is
// one revision, and puts its SOA anew. Pure; the same at every replica that has the history.
#pragma once

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "dns/rr.h"
#include "kv/ordered_map.h"
#include "kv/types.h"
#include "wire/message.h"
#include "zone/zone.h"

namespace quorate::api::xfr {

// One difference sequence (RFC 1995 4): both begin with a SOA, the old one and the new one.
struct Delta {
  std::vector<wire::Record> removed, added;
};

// The TTL of an RRset just before, or just after, the revision that is looked at; nullopt: there is none.
using TtlLookup =
    std::function<std::optional<uint32_t>(const dns::Name& owner, dns::RRType type, bool after)>;

// Of the changes of one revision in the zone `apex`, with what was before them. An empty delta: no record
// changed. nullopt: not a change between two versions (the zone came or went), what was before is not known
// any more, or a TTL changed whose signatures did not.
std::optional<Delta> DeltaOf(const dns::Name& apex, std::span<const kv::Event> events, const TtlLookup& ttl);

struct JournalBounds {
  size_t steps = 10000;     // revisions
  size_t bytes = SIZE_MAX;  // of all records on the wire, uncompressed
};
// The deltas from serial `from` to `zone`, the oldest first. nullopt: the history does not reach that far
// back, never had that serial, or it is too much.
std::optional<std::vector<Delta>> ReadDeltas(const kv::MapReader& map, const zone::Zone& zone,
                                             dns::Serial from, const JournalBounds& bounds);

}  // namespace quorate::api::xfr

// Changes of a zone as pure functions: (version, edit) -> new version and what changed, or a refusal.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "dns/rr.h"
#include "zone/refusal.h"
#include "zone/serial.h"
#include "zone/zone.h"

namespace quorate::zone {

struct RRsetEdit {
  enum class Kind : uint8_t {
    kReplace = 1,        // the RRset becomes exactly `ttl` and `rdata`; without rdata: as kDelete
    kDelete = 2,         // the RRset goes; type ANY: all of the name's, but not SOA and NS of the apex
    kAddRecords = 3,     // `rdata` join the RRset, whose TTL becomes `ttl` (RFC 2181 5.2)
    kRemoveRecords = 4,  // `rdata` leave it; those that are not there do not matter
  };
  dns::Name owner;
  dns::RRType type = dns::RRType::kA;
  Kind kind = Kind::kReplace;
  uint32_t ttl = 0;                // seconds; 2^31 and above mean 0 (RFC 2181 8)
  std::vector<std::string> rdata;  // uncompressed wire form
  bool keep_ttl = false;  // kAddRecords: an RRset that is there keeps its TTL; `ttl` is for a new one
};

// Applied in order, each to what the ones before it left; the rules are checked on the outcome alone.
struct ZoneEdit {
  std::vector<RRsetEdit> edits;
};

struct RRsetChange {
  dns::Name owner;
  dns::RRType type = dns::RRType::kA;
  std::optional<dns::RRset> before, after;  // at least one
  bool operator==(const RRsetChange&) const = default;
};

// What differs between two versions, the SOA included; in canonical order of owners, then by type number.
struct Changeset {
  dns::Name apex;
  std::optional<dns::Serial> from, to;  // nullopt: there is no such version (the zone is new, or gone)
  std::vector<RRsetChange> changes;
  bool empty() const { return changes.empty(); }
  bool operator==(const Changeset&) const = default;
};

// `zone` is the new version. Without an effect: the old one, and no changes.
struct EditResult {
  ZonePtr zone;
  Changeset changeset;
};
using EditOutcome = std::variant<EditResult, Refusal>;

// All of the edit or nothing. The SOA serial moves as `serial` says unless the edit moved it forward (RFC
// 1982) itself; an edit without an effect does not move it. A name keeps the case that its first record gave
// it. Cost: the size of the edit and of the RRsets at the names it touches. Deterministic.
EditOutcome ApplyEdit(const ZonePtr& zone, const ZoneEdit& edit, const SerialRule& serial = {});

// `next` (from a ZoneBuilder) takes the place of `old`, which may be nullptr. Equal but for an older or equal
// serial: no change. A serial that is not newer becomes the one that `serial` puts after the old one, or for
// a signed zone is refused.
EditOutcome ReplaceZone(const ZonePtr& old, const ZonePtr& next, const SerialRule& serial = {});

// Either may be nullptr: no such version.
Changeset Diff(const Zone* old, const Zone* next);

}  // namespace quorate::zone

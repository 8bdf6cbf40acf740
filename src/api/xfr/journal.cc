#include "api/xfr/journal.h"

#include <algorithm>

#include "base/limits.h"
#include "kv/store.h"
#include "rsm/read.h"
#include "zone/store_keys.h"

namespace quorate::api::xfr {
namespace {

using dns::RRType;

constexpr size_t kRecordBytes = 10;  // type, class, TTL, length

// One RRset before and after.
struct Change {
  std::optional<dns::RRset> before, after;
  const dns::RRset& any() const { return after ? *after : *before; }
};

std::optional<Change> ChangeOf(const dns::Name& apex, const kv::Event& event) {
  const auto key = zone::ParseRecordKey(event.kv.key);
  if (!key || !(key->zone == apex)) return std::nullopt;
  const bool gone = event.type == kv::Event::Type::kDelete;
  // A put of a key that was there, or a delete, without what was before it: it is compacted.
  if (!event.prev && (gone || event.kv.version > 1)) return std::nullopt;
  Change change;
  if (event.prev) {
    change.before = zone::DecodeRRset(key->type, event.prev->value);
    if (!change.before) return std::nullopt;
  }
  if (!gone) {
    change.after = zone::DecodeRRset(key->type, event.kv.value);
    if (!change.after) return std::nullopt;
  }
  return change;
}

bool Has(const std::optional<dns::RRset>& rrset, const std::string& rdata) {
  return rrset && std::find(rrset->rdata.begin(), rrset->rdata.end(), rdata) != rrset->rdata.end();
}

RRType CoveredBy(std::string_view rrsig) {
  if (rrsig.size() < 2) return RRType::kRRSIG;
  return static_cast<RRType>(static_cast<uint8_t>(rrsig[0]) << 8 | static_cast<uint8_t>(rrsig[1]));
}

// Those of `from` that are not in `other` just so: of a changed TTL or owner all of them.
void AppendDifference(const dns::RRset& from, const std::optional<dns::RRset>& other, bool after,
                      const TtlLookup& ttl, std::vector<wire::Record>& out) {
  const bool signatures = from.type == RRType::kRRSIG;
  const bool all =
      !other || other->owner.wire() != from.owner.wire() || (!signatures && other->ttl != from.ttl);
  for (const std::string& rdata : from.rdata) {
    if (!all && Has(other, rdata)) continue;
    // RFC 4034 3: the TTL of what it covers.
    const uint32_t own = signatures ? ttl(from.owner, CoveredBy(rdata), after).value_or(from.ttl) : from.ttl;
    out.push_back({from.owner, from.type, dns::RRClass::kIN, own, rdata});
  }
}

size_t BytesOf(const Delta& delta) {
  size_t bytes = 0;
  for (const auto* part : {&delta.removed, &delta.added}) {
    for (const wire::Record& r : *part) bytes += r.name.wire().size() + kRecordBytes + r.rdata.size();
  }
  return bytes;
}

struct SoaVersion {
  dns::Serial serial;
  Revision revision;
};
std::optional<SoaVersion> SoaAt(const kv::MapReader& map, const dns::Name& apex, Revision at) {
  const auto soa = rsm::GetRRset(map, at, apex, apex, RRType::kSOA);
  const auto fields =
      soa && soa->rrset.rdata.size() == 1 ? dns::ParseSoa(soa->rrset.rdata.front()) : std::nullopt;
  if (!fields) return std::nullopt;
  return SoaVersion{fields->serial, soa->mod_revision};
}

// The revisions that led from one serial to the other, the newest first.
std::optional<std::vector<Revision>> StepsBetween(const kv::MapReader& map, const dns::Name& apex,
                                                  dns::Serial from, dns::Serial to, size_t steps_max) {
  std::vector<Revision> steps;
  bool inside = false;
  Revision at = rsm::CurrentRevision(map);
  for (size_t seen = 0; seen < steps_max; ++seen) {
    const auto soa = SoaAt(map, apex, at);
    if (!soa) return std::nullopt;
    inside |= soa->serial == to;
    if (inside && soa->serial == from) return steps;
    if (inside) steps.push_back(soa->revision);
    if (soa->revision <= Revision{1}) return std::nullopt;
    at = Revision{soa->revision.value - 1};
  }
  return std::nullopt;
}

std::optional<Delta> ReadDelta(const kv::MapReader& map, const dns::Name& apex, Revision at) {
  const auto [begin, end] = zone::ZoneRange(apex);
  const auto history = kv::ReadHistory(map, {.range = {begin, end},
                                             .from = at,
                                             .to = at,
                                             .prev_kv = true,
                                             .max_events = SIZE_MAX,
                                             .max_bytes = SIZE_MAX,
                                             .max_scanned = SIZE_MAX});
  if (!history.ok()) return std::nullopt;
  return DeltaOf(apex, history->events, [&](const dns::Name& owner, RRType type, bool after) {
    const auto rrset = rsm::GetRRset(map, after ? at : Revision{at.value - 1}, apex, owner, type);
    return rrset ? std::optional(rrset->rrset.ttl) : std::nullopt;
  });
}

}  // namespace

std::optional<Delta> DeltaOf(const dns::Name& apex, std::span<const kv::Event> events, const TtlLookup& ttl) {
  std::vector<Change> changes;
  std::optional<Change> soa;
  for (const kv::Event& event : events) {
    auto change = ChangeOf(apex, event);
    if (!change) return std::nullopt;
    if (change->any().type == RRType::kSOA) {
      soa = std::move(change);
    } else {
      changes.push_back(*std::move(change));
    }
  }
  if (!soa || !soa->before || !soa->after) return std::nullopt;
  std::sort(changes.begin(), changes.end(), [](const Change& a, const Change& b) {
    const auto order = a.any().owner <=> b.any().owner;
    return order != 0 ? order < 0 : a.any().type < b.any().type;
  });
  const auto signatures_change = [&](const dns::Name& owner) {
    auto at = std::lower_bound(changes.begin(), changes.end(), owner,
                               [](const Change& c, const dns::Name& name) { return c.any().owner < name; });
    for (; at != changes.end() && at->any().owner == owner; ++at) {
      if (at->any().type == RRType::kRRSIG) return true;
    }
    return false;
  };
  Delta delta;
  AppendDifference(*soa->before, std::nullopt, false, ttl, delta.removed);
  AppendDifference(*soa->after, std::nullopt, true, ttl, delta.added);
  for (const Change& change : changes) {
    const bool ttl_changed = change.before && change.after && change.before->ttl != change.after->ttl;
    // Its signatures have its TTL: those that stay would change without being named.
    if (ttl_changed &&
        (signatures_change(change.any().owner) || ttl(change.any().owner, RRType::kRRSIG, true)))
      return std::nullopt;
    if (change.before) AppendDifference(*change.before, change.after, false, ttl, delta.removed);
    if (change.after) AppendDifference(*change.after, change.before, true, ttl, delta.added);
  }
  const bool same_soa = *soa->before == *soa->after;
  if (same_soa)
    return delta.removed.size() == 1 && delta.added.size() == 1 ? std::optional(Delta()) : std::nullopt;
  return delta;
}

std::optional<std::vector<Delta>> ReadDeltas(const kv::MapReader& map, const zone::Zone& zone,
                                             dns::Serial from, const JournalBounds& bounds) {
  const auto steps = StepsBetween(map, zone.apex(), from, zone.serial(), bounds.steps);
  if (!steps) return std::nullopt;
  std::vector<Delta> deltas;
  size_t bytes = 0;
  for (const Revision step : *steps) {
    auto delta = ReadDelta(map, zone.apex(), step);
    if (!delta) return std::nullopt;
    if (delta->added.empty()) continue;  // of the settings alone
    bytes += BytesOf(*delta);
    if (bytes > bounds.bytes) return std::nullopt;
    deltas.push_back(*std::move(delta));
  }
  std::reverse(deltas.begin(), deltas.end());
  // What the history ends with is what is sent as the newest version.
  if (deltas.empty() || deltas.back().added.front().rdata != *zone.soa_rrset().begin()) return std::nullopt;
  return deltas;
}

}  // namespace quorate::api::xfr

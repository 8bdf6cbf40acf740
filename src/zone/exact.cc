#include "zone/exact.h"

#include <algorithm>
#include <map>

#include "dns/rdata.h"
#include "zone/changes.h"
#include "zone/rules.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

using dns::RRset;
using Kind = RRsetEdit::Kind;

struct Touched {
  dns::Name owner;  // in the case it is kept in
  std::vector<RRset> before, after;
};

Touched Load(const Zone& zone, const dns::Name& owner) {
  const Node* node = zone.Find(owner.wire());
  if (node == nullptr || node->IsEmptyNonTerminal()) return {owner, {}, {}};
  std::vector<RRset> rrsets = node->Materialize();
  return {dns::Name::FromView(node->owner()), rrsets, rrsets};
}

void Remove(const RRsetEdit& edit, RRset& set) {
  std::vector<std::string> gone;
  for (const std::string& rdata : edit.rdata) gone.push_back(dns::CanonicalRdata(set.type, rdata));
  std::erase_if(set.rdata, [&](const std::string& present) {
    return std::find(gone.begin(), gone.end(), dns::CanonicalRdata(set.type, present)) != gone.end();
  });
}

void Apply(const RRsetEdit& edit, std::vector<RRset>& sets, const dns::Name& owner) {
  auto at = std::lower_bound(sets.begin(), sets.end(), edit.type,
                             [](const RRset& set, dns::RRType type) { return set.type < type; });
  if (at == sets.end() || at->type != edit.type)
    at = sets.insert(at, RRset{.owner = owner, .type = edit.type, .ttl = NormalTtl(edit.ttl)});
  switch (edit.kind) {
    case Kind::kReplace:
      at->ttl = NormalTtl(edit.ttl);
      at->rdata = edit.rdata;
      break;
    case Kind::kDelete:
      at->rdata.clear();
      break;
    case Kind::kAddRecords:
      at->ttl = NormalTtl(edit.ttl);
      at->rdata.insert(at->rdata.end(), edit.rdata.begin(), edit.rdata.end());
      break;
    case Kind::kRemoveRecords:
      Remove(edit, *at);
      break;
  }
  if (at->rdata.empty()) {
    sets.erase(at);
  } else {
    dns::Canonicalize(*at);
  }
}

}  // namespace

EditResult ReplaceExactly(const ZonePtr& old, const ZonePtr& next) {
  Changeset changes = Diff(old.get(), next.get());
  if (changes.empty()) return {old, std::move(changes)};
  return {next, std::move(changes)};
}

EditOutcome EditExactly(const ZonePtr& zone, const ZoneEdit& edit) {
  std::map<dns::Name, Touched> touched;
  for (const RRsetEdit& one : edit.edits) {
    for (const std::string& rdata : one.rdata) {
      if (auto refusal = CheckRecord(zone->apex(), one.owner, one.type, rdata)) return *std::move(refusal);
    }
    if (!one.owner.IsAtOrBelow(zone->apex()))
      return Refuse(RefusalCode::kOutOfZone, one.owner, one.type, "the name is not in the zone");
    const auto [it, added] = touched.try_emplace(one.owner);
    if (added) it->second = Load(*zone, one.owner);
    Apply(one, it->second.after, it->second.owner);
  }
  Changeset changes{.apex = zone->apex(), .from = zone->serial(), .to = zone->serial()};
  ZoneWriter writer(*zone);
  for (const auto& [name, names] : touched) {
    // A name that goes has nothing to be checked, but for the apex.
    if (!names.after.empty() || name == zone->apex()) {
      if (auto refusal = CheckNode(zone->apex(), names.owner, names.after)) return *std::move(refusal);
    }
    AppendChanges(names.before, names.after, changes.changes);
    if (names.before != names.after) writer.SetRRsets(names.owner.wire(), names.after);
  }
  if (changes.changes.empty()) return EditResult{zone, std::move(changes)};
  ZonePtr next = writer.Finish();
  changes.to = next->serial();
  return EditResult{std::move(next), std::move(changes)};
}

}  // namespace quorate::zone

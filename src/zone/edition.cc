#include "zone/edition.h"

#include <algorithm>

#include "base/check.h"
#include "dns/rdata.h"
#include "zone/changes.h"
#include "zone/rules.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

using dns::RRset;
using dns::RRType;

// Where `rdata` stands, or would stand, in a canonical RRset.
struct Place {
  std::vector<std::string>::iterator at;
  bool found;
};
Place Find(RRset& set, std::string_view rdata) {
  const std::string wanted = dns::CanonicalRdata(set.type, rdata);
  const auto at = std::lower_bound(set.rdata.begin(), set.rdata.end(), wanted,
                                   [&](const std::string& present, const std::string& w) {
                                     return dns::CanonicalRdata(set.type, present) < w;
                                   });
  return {at, at != set.rdata.end() && dns::CanonicalRdata(set.type, *at) == wanted};
}

std::vector<RRset>::iterator PlaceOf(std::vector<RRset>& sets, RRType type) {
  return std::lower_bound(sets.begin(), sets.end(), type,
                          [](const RRset& set, RRType t) { return set.type < t; });
}

}  // namespace

bool IsSignatureType(RRType type) {
  return type == RRType::kRRSIG || type == RRType::kNSEC || type == RRType::kNSEC3 ||
         type == RRType::kNSEC3PARAM;
}

RRset* TouchedName::Find(RRType type) {
  const auto at = PlaceOf(after, type);
  return at != after.end() && at->type == type ? &*at : nullptr;
}

RRset& TouchedName::FindOrAdd(RRType type, uint32_t ttl) {
  const auto at = PlaceOf(after, type);
  if (at != after.end() && at->type == type) return *at;
  return *after.insert(at, RRset{.owner = owner, .type = type, .ttl = ttl});
}

void TouchedName::Erase(RRType type) {
  std::erase_if(after, [&](const RRset& set) { return set.type == type; });
}

bool TouchedName::Remove(RRType type, std::string_view rdata) {
  RRset* set = Find(type);
  if (set == nullptr) return false;
  const Place place = zone::Find(*set, rdata);
  if (!place.found) return false;
  set->rdata.erase(place.at);
  if (set->rdata.empty()) Erase(type);
  return true;
}

bool AddRdata(RRset& rrset, std::string_view rdata) {
  const Place place = Find(rrset, rdata);
  if (!place.found) rrset.rdata.emplace(place.at, rdata);
  return !place.found;
}

TouchedName& Edition::Touch(const dns::Name& owner) {
  const auto [it, added] = touched_.try_emplace(owner);
  TouchedName& touched = it->second;
  if (!added) return touched;
  touched.owner = owner;
  const Node* node = base_->Find(owner.wire());
  if (node != nullptr && !node->IsEmptyNonTerminal()) {
    touched.owner = dns::Name::FromView(node->owner());
    touched.before = node->Materialize();
    touched.after = touched.before;
  }
  return touched;
}

void Edition::DeleteAll(TouchedName& touched) const {
  const bool is_apex = touched.owner == base_->apex();
  std::erase_if(touched.after, [&](const RRset& set) {
    return !(is_apex && (set.type == RRType::kSOA || set.type == RRType::kNS));
  });
}

std::optional<Refusal> Edition::Check() const {
  for (const auto& [name, touched] : touched_) {
    if (auto refusal = CheckNode(base_->apex(), touched.owner, touched.after)) return refusal;
  }
  return std::nullopt;
}

std::vector<RRsetChange> Edition::Changes() const {
  std::vector<RRsetChange> changes;
  for (const auto& [name, touched] : touched_) AppendChanges(touched.before, touched.after, changes);
  return changes;
}

ZonePtr Edition::Write() const {
  ZoneWriter writer(*base_);
  for (const auto& [name, touched] : touched_) {
    if (touched.before != touched.after) writer.SetRRsets(touched.owner.wire(), touched.after);
  }
  return writer.Finish();
}

EditResult Edition::Conclude(const SerialRule& serial) {
  TouchedName& apex = Touch(base_->apex());
  const RRset* soa_set = apex.Find(RRType::kSOA);
  CHECK(soa_set != nullptr);
  const auto soa = dns::ParseSoa(soa_set->rdata.front());
  CHECK(soa.has_value());
  Changeset out{.apex = base_->apex(), .from = base_->serial(), .to = soa->serial};
  if (!dns::IsNewer(soa->serial, base_->serial())) {
    SetSerial(apex.after, base_->serial());
    out.to = base_->serial();
    if (Changes().empty()) return {base_, std::move(out)};
    out.to = NextSerial(base_->serial(), serial);
    SetSerial(apex.after, *out.to);
  }
  out.changes = Changes();
  return {Write(), std::move(out)};
}

}  // namespace quorate::zone

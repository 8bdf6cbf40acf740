#include "zone/zone_set.h"

#include <algorithm>

namespace quorate::zone {

const Zone* ZoneSet::FindZone(dns::NameView qname) const {
  const FoldedName q(qname);
  const Zone* best = nullptr;
  uint64_t hash = RootHash();
  for (size_t labels = 0; labels <= q.label_count() && labels < by_depth_.size(); ++labels) {
    if (labels > 0) hash = ChildHash(hash, q.Label(labels));
    if (by_depth_[labels] == 0) continue;
    const Leaf* leaf = zones_.Find(hash, q.Suffix(labels));
    if (leaf != nullptr) best = leaf->zone.get();
  }
  return best;
}

const Zone* ZoneSet::FindZoneFor(dns::NameView qname, dns::RRType qtype) const {
  const Zone* zone = FindZone(qname);
  if (zone == nullptr || qtype != dns::RRType::kDS || !dns::SameName(zone->apex().wire(), qname)) return zone;
  // The root has no parent: its DS is asked of itself.
  const Zone* parent = FindZone(dns::ParentOf(qname));
  return parent != nullptr ? parent : zone;
}

ZonePtr ZoneSet::Get(dns::NameView apex) const {
  const FoldedName folded(apex);
  const Leaf* leaf = zones_.Find(NameHash(apex), folded.view());
  return leaf != nullptr ? leaf->zone : nullptr;
}

ZoneSet ZoneSet::With(ZonePtr zone) const {
  ZoneSet next = *this;
  next.Put(std::move(zone));
  return next;
}

ZoneSet ZoneSet::Without(dns::NameView apex) const {
  ZoneSet next = *this;
  next.Remove(apex);
  return next;
}

void ZoneSet::Put(ZonePtr zone) {
  const size_t before = zones_.size();
  const size_t depth = zone->apex_labels();
  const uint64_t hash = zone->apex_hash();
  zones_.Put(hash, RefPtr<Leaf>::Adopt(new Leaf(std::move(zone))));
  if (zones_.size() == before) return;
  if (by_depth_.size() <= depth) by_depth_.resize(depth + 1);
  ++by_depth_[depth];
}

void ZoneSet::Remove(dns::NameView apex) {
  const FoldedName folded(apex);
  if (!zones_.Erase(NameHash(apex), folded.view())) return;
  --by_depth_[folded.label_count()];
  while (!by_depth_.empty() && by_depth_.back() == 0) by_depth_.pop_back();
}

std::vector<ZonePtr> ZoneSet::All() const {
  std::vector<ZonePtr> out;
  out.reserve(size());
  zones_.ForEach([&](const Leaf& leaf) { out.push_back(leaf.zone); });
  std::sort(out.begin(), out.end(), [](const ZonePtr& a, const ZonePtr& b) { return a->apex() < b->apex(); });
  return out;
}

}  // namespace quorate::zone

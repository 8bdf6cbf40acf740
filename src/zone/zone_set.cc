#include "zone/zone_set.h"

#include <algorithm>

#include "base/check.h"

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

ZoneSet ZoneSet::WithSettings(dns::NameView apex, const Settings& settings) const {
  ZonePtr zone = Get(apex);
  CHECK(zone != nullptr);
  ZoneSet next = *this;
  next.Put(std::move(zone), settings);
  return next;
}

const Settings& ZoneSet::SettingsOf(const Zone& zone) const {
  static const Settings kDefaults;
  if (configured_ == 0) return kDefaults;
  const FoldedName folded(zone.apex().wire());
  const Leaf* leaf = zones_.Find(zone.apex_hash(), folded.view());
  return leaf != nullptr ? leaf->settings : kDefaults;
}

const std::shared_ptr<const Keyring>& ZoneSet::NoKeys() {
  static const auto kNone = std::make_shared<const Keyring>();
  return kNone;
}

ZoneSet ZoneSet::WithKeyring(std::shared_ptr<const Keyring> keyring) const {
  ZoneSet next = *this;
  next.keyring_ = std::move(keyring);
  return next;
}

void ZoneSet::Put(ZonePtr zone) {
  const Settings kept = SettingsOf(*zone);
  Put(std::move(zone), kept);
}

void ZoneSet::Put(ZonePtr zone, const Settings& settings) {
  const size_t before = zones_.size();
  configured_ -= SettingsOf(*zone) == Settings() ? 0 : 1;
  configured_ += settings == Settings() ? 0 : 1;
  const size_t depth = zone->apex_labels();
  const uint64_t hash = zone->apex_hash();
  zones_.Put(hash, RefPtr<Leaf>::Adopt(new Leaf(std::move(zone), settings)));
  if (zones_.size() == before) return;
  if (by_depth_.size() <= depth) by_depth_.resize(depth + 1);
  ++by_depth_[depth];
}

void ZoneSet::Remove(dns::NameView apex) {
  const ZonePtr gone = Get(apex);
  if (gone == nullptr) return;
  const FoldedName folded(apex);
  configured_ -= SettingsOf(*gone) == Settings() ? 0 : 1;
  zones_.Erase(gone->apex_hash(), folded.view());
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

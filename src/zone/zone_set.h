// The zones that one replica serves, as one immutable version. A change of one zone costs the logarithm of
// their number.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

#include "zone/keyring.h"
#include "zone/settings.h"
#include "zone/zone.h"

namespace quorate::zone {

// Any thread. Copying is O(1).
class ZoneSet {
 public:
  ZoneSet() = default;

  // The zone with the longest apex that `qname` is at or below, or nullptr: none of ours (RFC 1034 4.3.2 step
  // 2). No allocation. The zone lives as long as this set.
  const Zone* FindZone(dns::NameView qname) const;
  // The same, for a question: DS is asked of the parent where we serve it (RFC 4035 3.1.4.1).
  const Zone* FindZoneFor(dns::NameView qname, dns::RRType qtype) const;
  // The zone with this very apex.
  ZonePtr Get(dns::NameView apex) const;

  // Of a zone of this set, or one with its apex; lives as long as this set. No allocation.
  const Settings& SettingsOf(const Zone& zone) const;
  // The group's secrets; live as long as this set.
  const Keyring& keyring() const { return *keyring_; }

  // Adds the zone, or puts it in the place of the one with its apex, whose settings it keeps.
  ZoneSet With(ZonePtr zone) const;
  // The zone with that apex must be in the set.
  ZoneSet WithSettings(dns::NameView apex, const Settings& settings) const;
  ZoneSet Without(dns::NameView apex) const;
  ZoneSet WithKeyring(std::shared_ptr<const Keyring> keyring) const;
  // In place, for building large sets; other copies do not change.
  void Put(ZonePtr zone);
  void Put(ZonePtr zone, const Settings& settings);
  void Remove(dns::NameView apex);

  size_t size() const { return zones_.size(); }
  // In canonical order of their apexes.
  std::vector<ZonePtr> All() const;

 private:
  static const std::shared_ptr<const Keyring>& NoKeys();

  // One zone in the map.
  class Leaf {
   public:
    Leaf(ZonePtr z, const Settings& s) : zone(std::move(z)), settings(s) {}
    dns::NameView key() const { return zone->apex().wire(); }
    void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
    void Unref() const {
      if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    const ZonePtr zone;
    const Settings settings;

   private:
    mutable std::atomic<uint32_t> refs_{1};
  };

  NameMap<Leaf> zones_;
  std::shared_ptr<const Keyring> keyring_ = NoKeys();
  size_t configured_ = 0;           // zones with settings that are not the default
  std::vector<uint32_t> by_depth_;  // how many apexes have so many labels: bounds the search
};

}  // namespace quorate::zone

// The zones that one replica serves, as one immutable version. A change of one zone costs the logarithm of
// their number.
#pragma once

#include <atomic>
#include <memory>
#include <vector>

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

  // Adds the zone, or puts it in the place of the one with its apex.
  ZoneSet With(ZonePtr zone) const;
  ZoneSet Without(dns::NameView apex) const;
  // In place, for building large sets; other copies do not change.
  void Put(ZonePtr zone);
  void Remove(dns::NameView apex);

  size_t size() const { return zones_.size(); }
  // In canonical order of their apexes.
  std::vector<ZonePtr> All() const;

 private:
  // One zone in the map.
  class Leaf {
   public:
    explicit Leaf(ZonePtr z) : zone(std::move(z)) {}
    dns::NameView key() const { return zone->apex().wire(); }
    void Ref() const { refs_.fetch_add(1, std::memory_order_relaxed); }
    void Unref() const {
      if (refs_.fetch_sub(1, std::memory_order_acq_rel) == 1) delete this;
    }
    const ZonePtr zone;

   private:
    mutable std::atomic<uint32_t> refs_{1};
  };

  NameMap<Leaf> zones_;
  std::vector<uint32_t> by_depth_;  // how many apexes have so many labels: bounds the search
};

}  // namespace quorate::zone

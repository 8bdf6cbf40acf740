// The order in which a signed zone denies names: its NSEC owners (RFC 4034 6.1), or its NSEC3 hashes (RFC
// 5155 7.1). A part of every version of a signed zone; versions whose chain has the same names share one.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <vector>

#include "dns/rr.h"
#include "zone/name_hash.h"
#include "zone/nsec3_hash.h"

namespace quorate::zone {

class Node;
class Zone;

// Immutable; any thread. Keeps names and hashes, never nodes: what a record says is asked of the version.
class DenialIndex {
 public:
  // O(n log n). nullptr: the zone has no chain that can be used. A chain of NSEC3 counts if NSEC3PARAM at the
  // apex names it with flags 0 (RFC 5155 4) and at most kNsec3IterationsMax iterations; it comes before NSEC.
  // Records below zone cuts are of no chain.
  static std::shared_ptr<const DenialIndex> Build(const Zone& zone);

  bool is_hashed() const { return hashed_; }

  // NSEC: the owner that is, or comes last before, this name in canonical order; empty: none does.
  struct Place {
    dns::NameView owner;  // in lower case
    bool matches = false;
  };
  Place AtOrBefore(const FoldedName& name) const;

  // NSEC3: the same for hashes, where the last one comes before the first.
  struct HashPlace {
    Nsec3Hash hash;
    bool matches = false;
  };
  HashPlace AtOrBefore(const Nsec3Hash& hash) const;
  Nsec3Params params() const { return {iterations_, salt_}; }

 private:
  void AddOwner(dns::NameView owner);
  dns::NameView Owner(size_t i) const {
    return {owners_.data() + starts_[i], size_t{starts_[i + 1] - starts_[i]}};
  }
  void CollectNsec(const Zone& zone);
  bool CollectNsec3(const Zone& zone);

  bool hashed_ = false;
  std::string owners_;            // NSEC: in canonical order and lower case, end to end
  std::vector<uint32_t> starts_;  // of each in owners_; then the end
  uint16_t iterations_ = 0;
  std::string salt_;
  std::vector<Nsec3Hash> hashes_;  // NSEC3: sorted
};

// Whether the index stays as it is when the RRsets of a name become `after`. `before` may be nullptr: no such
// name yet.
bool SameForDenial(const Node* before, std::span<const dns::RRset> after);

}  // namespace quorate::zone

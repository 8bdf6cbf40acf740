// One version of one zone: immutable, sharing all that did not change with the version before (RFC 1034 4.2).
#pragma once

#include <memory>
#include <vector>

#include "dns/rr.h"
#include "zone/denial_index.h"
#include "zone/name_map.h"
#include "zone/node.h"

namespace quorate::zone {

class Zone;
using ZonePtr = std::shared_ptr<const Zone>;

// Any thread. Whoever holds the ZonePtr may keep views into it. Made by ZoneBuilder, ApplyEdit and
// ReplaceZone only, so that it always has exactly one SOA and at least one NS at its apex.
class Zone {
 public:
  const dns::Name& apex() const { return apex_; }
  dns::Serial serial() const { return soa_.serial; }
  const dns::Soa& soa() const { return soa_; }
  RRsetView soa_rrset() const { return apex_node_->Find(dns::RRType::kSOA); }
  // The TTL of the SOA in negative answers: min(its TTL, MINIMUM) (RFC 2308 3).
  uint32_t negative_ttl() const { return negative_ttl_; }
  const Node& apex_node() const { return *apex_node_; }

  size_t node_count() const { return nodes_.size(); }  // empty non-terminals included
  size_t record_count() const { return record_count_; }
  // Signed by somebody else: RRSIG, NSEC or NSEC3PARAM at the apex. Only a whole import may replace it.
  bool is_signed() const { return is_signed_; }

  // Of a signed zone, how it denies names; nullptr: it cannot.
  const DenialIndex* denial() const { return denial_.get(); }

  // The node of this very name, in any case; below zone cuts too. nullptr: no such name. Does not allocate.
  const Node* Find(dns::NameView name) const;

  // All nodes in canonical order (RFC 4034 6.1): O(n log n), for transfers, export and diffs.
  std::vector<const Node*> InCanonicalOrder() const;

  // For the walk of a look-up, down from the apex: the node whose name, in lower case, is `folded`, with its
  // hash.
  const Node* FindHashed(uint64_t hash, dns::NameView folded) const { return nodes_.Find(hash, folded); }
  uint64_t apex_hash() const { return apex_hash_; }
  size_t apex_labels() const { return apex_labels_; }
  // Every node, in no meaningful order: sort what comes of it.
  template <class Visit>
  void ForEachNode(Visit visit) const {
    nodes_.ForEach(visit);
  }

 private:
  friend class ZoneWriter;
  explicit Zone(dns::Name apex);
  Zone(const Zone&) = default;

  dns::Name apex_;
  NameMap<Node> nodes_;
  const Node* apex_node_ = nullptr;  // in nodes_
  uint64_t apex_hash_;
  size_t apex_labels_;
  dns::Soa soa_;
  uint32_t negative_ttl_ = 0;
  size_t record_count_ = 0;
  bool is_signed_ = false;
  std::shared_ptr<const DenialIndex> denial_;
};

}  // namespace quorate::zone

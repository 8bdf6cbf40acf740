#include "zone/lookup.h"

namespace quorate::zone {
namespace {

using dns::RRType;

// RFC 4034 3.1.1.
RRType CoveredBy(std::string_view rrsig) {
  if (rrsig.size() < 2) return RRType{0};
  return static_cast<RRType>(static_cast<uint8_t>(rrsig[0]) << 8 | static_cast<uint8_t>(rrsig[1]));
}

RRsetView FirstRRset(const Node& node) {
  RRsetView first;
  node.ForEach([&](const RRsetView& view) {
    if (first.empty()) first = view;
  });
  return first;
}

LookupResult AtNode(const Node& node, RRType qtype) {
  LookupResult result{.kind = LookupKind::kAnswer, .node = &node, .closest_encloser = &node};
  result.rrset = qtype == RRType::kANY ? FirstRRset(node) : node.Find(qtype);
  if (!result.rrset.empty()) return result;
  result.kind = LookupKind::kNoData;
  if (node.HasCname()) {
    result.kind = LookupKind::kCname;
    result.rrset = node.Find(RRType::kCNAME);
  }
  return result;
}

LookupResult Delegation(const Node& cut) {
  return {.kind = LookupKind::kDelegation,
          .rrset = cut.Find(RRType::kNS),
          .ds = cut.Find(RRType::kDS),
          .node = &cut,
          .closest_encloser = &cut};
}

// QNAME is not there: what the wildcard below the closest encloser says (RFC 4592 3.3.1).
LookupResult BelowClosestEncloser(const Zone& zone, const Node& closest, uint64_t hash, RRType qtype) {
  LookupResult result{.kind = LookupKind::kNxDomain};
  if (closest.HasWildcardChild()) {
    std::array<char, 255> name{'\1', '*'};
    const FoldedName folded(closest.owner());
    // A closest encloser has a child, so there is room for two octets more.
    folded.view().copy(name.data() + 2, folded.view().size());
    const Node* wildcard = zone.FindHashed(ChildHash(hash, "*"), {name.data(), folded.view().size() + 2});
    result = AtNode(*wildcard, qtype);
    result.synthesized = true;
  }
  result.closest_encloser = &closest;
  return result;
}

}  // namespace

LookupResult Lookup(const Zone& zone, dns::NameView qname, RRType qtype) {
  const FoldedName q(qname);
  const size_t apex_labels = zone.apex_labels();
  if (q.label_count() < apex_labels || !dns::SameName(q.Suffix(apex_labels), zone.apex().wire())) return {};
  const Node* node = &zone.apex_node();
  uint64_t hash = zone.apex_hash();
  // Down from the apex: a cut or a DNAME on the way comes before anything below it (RFC 1034 4.3.2,
  // 6672 3.2).
  for (size_t labels = apex_labels;; ++labels) {
    const bool is_qname = labels == q.label_count();
    const bool is_cut = node->HasNs() && labels > apex_labels;
    if (is_cut && !(is_qname && qtype == RRType::kDS)) return Delegation(*node);
    if (is_qname) return AtNode(*node, qtype);
    if (node->HasDname()) {
      return {.kind = LookupKind::kDname,
              .rrset = node->Find(RRType::kDNAME),
              .node = node,
              .closest_encloser = node};
    }
    const uint64_t child_hash = ChildHash(hash, q.Label(labels + 1));
    const Node* child =
        node->child_count() == 0 ? nullptr : zone.FindHashed(child_hash, q.Suffix(labels + 1));
    if (child == nullptr || child->IsHashOnly()) return BelowClosestEncloser(zone, *node, hash, qtype);
    node = child;
    hash = child_hash;
  }
}

Addresses FindGlue(const Zone& zone, dns::NameView name) {
  const Node* node = zone.Find(name);
  if (node == nullptr) return {};
  return {.a = node->Find(RRType::kA), .aaaa = node->Find(RRType::kAAAA), .node = node};
}

Addresses FindAddresses(const Zone& zone, dns::NameView name) {
  const LookupResult found = Lookup(zone, name, RRType::kA);
  if (found.kind != LookupKind::kAnswer && found.kind != LookupKind::kNoData) return {};
  return {.a = found.node->Find(RRType::kA), .aaaa = found.node->Find(RRType::kAAAA), .node = found.node};
}

RRsetView FindSignatures(const Node& node, RRType type) {
  const RRsetView all = node.Find(RRType::kRRSIG);
  RRsetView out;
  for (auto at = all.begin(); at != all.end(); ++at) {
    const std::string_view rdata = *at;
    if (CoveredBy(rdata) != type) {
      if (!out.empty()) break;  // canonical order keeps those of one type together
      continue;
    }
    if (out.empty()) out = {.owner = all.owner, .type = all.type, .ttl = all.ttl, .packed = {}, .count = 0};
    const char* begin = out.count == 0 ? rdata.data() - sizeof(uint16_t) : out.packed.data();
    out.packed = {begin, static_cast<size_t>(rdata.data() + rdata.size() - begin)};
    ++out.count;
  }
  return out;
}

}  // namespace quorate::zone

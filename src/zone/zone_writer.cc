#include "zone/zone_writer.h"

#include <algorithm>

#include "base/check.h"

namespace quorate::zone {
namespace {

bool IsWildcardLabel(dns::NameView name) { return name.starts_with("\1*"); }

}  // namespace

std::vector<ZoneWriter::Step> ZoneWriter::PathTo(const FoldedName& owner) const {
  CHECK_GE(owner.label_count(), zone_.apex_labels_);
  CHECK(dns::SameName(owner.Suffix(zone_.apex_labels_), zone_.apex_.wire()));
  std::vector<Step> path;
  uint64_t hash = zone_.apex_hash_;
  for (size_t labels = zone_.apex_labels_; labels <= owner.label_count(); ++labels) {
    if (labels > zone_.apex_labels_) hash = ChildHash(hash, owner.Label(labels));
    path.push_back({hash, owner.Suffix(labels), zone_.nodes_.Find(hash, owner.Suffix(labels))});
  }
  return path;
}

void ZoneWriter::SetRRsets(dns::NameView owner, std::span<const dns::RRset> rrsets) {
  const FoldedName folded(owner);
  std::vector<Step> path = PathTo(folded);
  const Node* present = path.back().node;
  same_denial_ = same_denial_ && SameForDenial(present, rrsets);
  if (present != nullptr) zone_.record_count_ -= present->RecordCount();
  for (const dns::RRset& rrset : rrsets) zone_.record_count_ += rrset.rdata.size();
  if (!rrsets.empty()) {
    AddTo(path, owner, rrsets);
  } else if (present != nullptr && !present->IsEmptyNonTerminal()) {
    RemoveFrom(path);
  }
}

void ZoneWriter::AddTo(std::vector<Step>& path, dns::NameView owner, std::span<const dns::RRset> rrsets) {
  const Step last = path.back();
  if (last.node != nullptr) {
    const dns::NameView keep = last.node->IsEmptyNonTerminal() ? owner : last.node->owner();
    zone_.nodes_.Put(last.hash,
                     Node::Make(keep, rrsets, last.node->child_count(), last.node->HasWildcardChild()));
    return;
  }
  zone_.nodes_.Put(last.hash, Node::Make(owner, rrsets, 0, false));
  bool wildcard = IsWildcardLabel(last.folded);
  for (size_t i = path.size() - 1; i-- > 0;) {
    const Step& parent = path[i];
    if (parent.node != nullptr) {
      zone_.nodes_.Put(parent.hash, parent.node->WithChildren(parent.node->child_count() + 1,
                                                              parent.node->HasWildcardChild() || wildcard));
      return;
    }
    zone_.nodes_.Put(parent.hash, Node::Make(parent.folded, {}, 1, wildcard));
    wildcard = IsWildcardLabel(parent.folded);
  }
}

void ZoneWriter::RemoveFrom(std::vector<Step>& path) {
  const Step last = path.back();
  if (last.node->child_count() > 0) {
    zone_.nodes_.Put(last.hash,
                     Node::Make(last.folded, {}, last.node->child_count(), last.node->HasWildcardChild()));
    return;
  }
  zone_.nodes_.Erase(last.hash, last.folded);
  bool wildcard = IsWildcardLabel(last.folded);
  for (size_t i = path.size() - 1; i-- > 0;) {
    const Step& parent = path[i];
    const uint32_t children = parent.node->child_count() - 1;
    if (children > 0 || !parent.node->IsEmptyNonTerminal()) {
      zone_.nodes_.Put(parent.hash,
                       parent.node->WithChildren(children, parent.node->HasWildcardChild() && !wildcard));
      return;
    }
    zone_.nodes_.Erase(parent.hash, parent.folded);
    wildcard = IsWildcardLabel(parent.folded);
  }
}

ZonePtr ZoneWriter::Finish() {
  const Node* apex = zone_.nodes_.Find(zone_.apex_hash_, FoldedName(zone_.apex_.wire()).view());
  CHECK(apex != nullptr);
  const RRsetView soa_rrset = apex->Find(dns::RRType::kSOA);
  CHECK_EQ(soa_rrset.size(), 1u);
  const auto soa = dns::ParseSoa(*soa_rrset.begin());
  CHECK(soa.has_value());
  zone_.apex_node_ = apex;
  zone_.apex_ = dns::Name::FromView(apex->owner());
  zone_.soa_ = *soa;
  zone_.negative_ttl_ = std::min(soa_rrset.ttl, soa->minimum);
  zone_.is_signed_ = !apex->Find(dns::RRType::kRRSIG).empty() || !apex->Find(dns::RRType::kNSEC).empty() ||
                     !apex->Find(dns::RRType::kNSEC3PARAM).empty();
  if (!zone_.is_signed_) {
    zone_.denial_ = nullptr;
  } else if (!same_denial_ || zone_.denial_ == nullptr) {
    zone_.denial_ = DenialIndex::Build(zone_);
  }
  return ZonePtr(new Zone(std::move(zone_)));
}

}  // namespace quorate::zone

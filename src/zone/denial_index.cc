#include "zone/denial_index.h"

#include <algorithm>

#include "zone/zone.h"

namespace quorate::zone {
namespace {

using dns::RRType;

// RFC 4034 6.1, of names in lower case.
int CompareCanonically(const FoldedName& a, const FoldedName& b) {
  const size_t common = std::min(a.label_count(), b.label_count());
  for (size_t labels = 1; labels <= common; ++labels) {
    const int c = a.Label(labels).compare(b.Label(labels));
    if (c != 0) return c;
  }
  return a.label_count() < b.label_count() ? -1 : a.label_count() > b.label_count();
}

// The first that the apex announces and that we are willing to compute.
std::optional<Nsec3Params> AnnouncedParams(const Zone& zone) {
  for (const std::string_view rdata : zone.apex_node().Find(RRType::kNSEC3PARAM)) {
    const auto fields = ParseNsec3(rdata);
    if (fields && fields->flags == 0 && fields->params.iterations <= kNsec3IterationsMax)
      return fields->params;
  }
  return std::nullopt;
}

}  // namespace

void DenialIndex::AddOwner(dns::NameView owner) {
  starts_.push_back(static_cast<uint32_t>(owners_.size()));
  owners_ += FoldedName(owner).view();
}

void DenialIndex::CollectNsec(const Zone& zone) {
  const Node* cut = nullptr;
  for (const Node* node : zone.InCanonicalOrder()) {
    // What is below a cut follows it at once.
    if (cut != nullptr && dns::IsAtOrBelow(node->owner(), cut->owner())) continue;
    cut = node->HasNs() && node != &zone.apex_node() ? node : nullptr;
    if (!node->Find(RRType::kNSEC).empty()) AddOwner(node->owner());
  }
  starts_.push_back(static_cast<uint32_t>(owners_.size()));
}

bool DenialIndex::CollectNsec3(const Zone& zone) {
  const auto params = AnnouncedParams(zone);
  if (!params) return false;
  zone.ForEachNode([&](const Node& node) {
    const RRsetView records = node.Find(RRType::kNSEC3);
    if (records.empty() || dns::LabelCountOf(node.owner()) != zone.apex_labels() + 1) return;
    const auto hash = FromLabel(node.owner().substr(1, static_cast<uint8_t>(node.owner()[0])));
    const auto fields = ParseNsec3(*records.begin());
    if (hash && fields && fields->params == *params) hashes_.push_back(*hash);
  });
  std::sort(hashes_.begin(), hashes_.end());
  iterations_ = params->iterations;
  salt_ = params->salt;
  hashed_ = !hashes_.empty();
  return hashed_;
}

std::shared_ptr<const DenialIndex> DenialIndex::Build(const Zone& zone) {
  auto index = std::make_shared<DenialIndex>();
  if (!index->CollectNsec3(zone)) index->CollectNsec(zone);
  if (!index->hashed_ && index->starts_.size() == 1) return nullptr;
  return index;
}

DenialIndex::Place DenialIndex::AtOrBefore(const FoldedName& name) const {
  size_t low = 0, high = starts_.size() - 1;  // the first owner after `name` is in [low, high]
  while (low < high) {
    const size_t middle = low + (high - low) / 2;
    const int c = CompareCanonically(FoldedName(Owner(middle)), name);
    if (c == 0) return {Owner(middle), true};
    if (c < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low == 0 ? Place() : Place{Owner(low - 1), false};
}

DenialIndex::HashPlace DenialIndex::AtOrBefore(const Nsec3Hash& hash) const {
  const auto after = std::upper_bound(hashes_.begin(), hashes_.end(), hash);
  const Nsec3Hash& found = after == hashes_.begin() ? hashes_.back() : *std::prev(after);
  return {found, found == hash};
}

bool SameForDenial(const Node* before, std::span<const dns::RRset> after) {
  for (const RRType type : {RRType::kNS, RRType::kNSEC, RRType::kNSEC3, RRType::kNSEC3PARAM}) {
    const RRsetView was = before != nullptr ? before->Find(type) : RRsetView();
    const auto is =
        std::find_if(after.begin(), after.end(), [&](const dns::RRset& s) { return s.type == type; });
    if (was.empty() != (is == after.end())) return false;
    if (was.empty() || type == RRType::kNS || type == RRType::kNSEC) continue;
    if (!std::equal(was.begin(), was.end(), is->rdata.begin(), is->rdata.end())) return false;
  }
  return true;
}

}  // namespace quorate::zone

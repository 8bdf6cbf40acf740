#include "zone/builder.h"

#include <algorithm>

#include "base/check.h"
#include "zone/rules.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

constexpr size_t kRefusalsTold = 1000;

// In the order of names, whatever their hashes: which of several faults is told must be plain to people.
void SortAndCut(std::vector<NodeRefusal>& refusals) {
  std::sort(refusals.begin(), refusals.end(),
            [](const NodeRefusal& a, const NodeRefusal& b) { return a.owner < b.owner; });
  if (refusals.size() > kRefusalsTold) refusals.erase(refusals.begin() + kRefusalsTold, refusals.end());
}

}  // namespace

ZoneBuilder::ZoneBuilder(dns::Name apex) : apex_(std::move(apex)) {}

void ZoneBuilder::Add(const dns::Name& owner, dns::RRType type, uint32_t ttl, std::string_view rdata) {
  if (refused_) return;
  refused_ = CheckRecord(apex_, owner, type, rdata);
  if (refused_) return;
  Record record{.ttl = NormalTtl(ttl), .rdata_size = static_cast<uint32_t>(rdata.size()), .type = type};
  // Records of one name mostly come together.
  if (!records_.empty() && OwnerOf(records_.back()) == owner.wire()) {
    record.owner_hash = records_.back().owner_hash;
    record.owner_at = records_.back().owner_at;
  } else {
    record.owner_hash = NameHash(owner.wire());
    record.owner_at = bytes_.size();
    bytes_ += owner.wire();
  }
  record.owner_size = static_cast<uint8_t>(owner.wire().size());
  record.rdata_at = bytes_.size();
  bytes_ += rdata;
  records_.push_back(record);
}

void ZoneBuilder::Add(const dns::RRset& rrset) {
  for (const std::string& rdata : rrset.rdata) Add(rrset.owner, rrset.type, rrset.ttl, rdata);
}

dns::NameView ZoneBuilder::OwnerOf(const Record& record) const {
  return std::string_view(bytes_).substr(record.owner_at, record.owner_size);
}

std::string_view ZoneBuilder::RdataOf(const Record& record) const {
  return std::string_view(bytes_).substr(record.rdata_at, record.rdata_size);
}

bool ZoneBuilder::SameOwner(const Record& a, const Record& b) const {
  return a.owner_hash == b.owner_hash && dns::SameName(OwnerOf(a), OwnerOf(b));
}

bool ZoneBuilder::Before(const Record& a, const Record& b) const {
  if (a.owner_hash != b.owner_hash) return a.owner_hash < b.owner_hash;
  if (!dns::SameName(OwnerOf(a), OwnerOf(b))) {
    return dns::Name::FromView(OwnerOf(a)) < dns::Name::FromView(OwnerOf(b));
  }
  return a.type < b.type;
}

std::variant<ZonePtr, Refusal> ZoneBuilder::Build() && {
  auto built = std::move(*this).BuildTellingAll();
  if (auto* refused = std::get_if<std::vector<NodeRefusal>>(&built))
    return std::move(refused->front().refusal);
  return std::get<ZonePtr>(std::move(built));
}

std::variant<ZonePtr, std::vector<NodeRefusal>> ZoneBuilder::BuildTellingAll() && {
  if (refused_) return std::vector<NodeRefusal>{{apex_, *std::move(refused_)}};
  std::sort(records_.begin(), records_.end(),
            [this](const Record& a, const Record& b) { return Before(a, b); });
  ZoneWriter writer(apex_);
  std::vector<NodeRefusal> refusals;
  bool has_apex = false;
  for (size_t begin = 0, end = 0; begin < records_.size(); begin = end) {
    dns::NameView owner_wire = OwnerOf(records_[begin]);
    for (end = begin; end < records_.size() && SameOwner(records_[begin], records_[end]); ++end) {
      owner_wire = std::min(owner_wire, OwnerOf(records_[end]));
    }
    const dns::Name owner = dns::Name::FromView(owner_wire);
    const std::vector<dns::RRset> rrsets = RRsetsOf(owner, begin, end);
    has_apex = has_apex || owner == apex_;
    if (auto refused = CheckNode(apex_, owner, rrsets)) {
      refusals.push_back({owner, *std::move(refused)});
      if (refusals.size() >= 2 * kRefusalsTold) SortAndCut(refusals);
    } else {
      writer.SetRRsets(owner_wire, rrsets);
    }
  }
  if (!has_apex) refusals.push_back({apex_, *CheckNode(apex_, apex_, {})});
  SortAndCut(refusals);
  if (!refusals.empty()) return refusals;
  return writer.Finish();
}

std::vector<dns::RRset> ZoneBuilder::RRsetsOf(const dns::Name& owner, size_t begin, size_t end) const {
  std::vector<dns::RRset> rrsets;
  for (size_t i = begin; i < end; ++i) {
    const Record& record = records_[i];
    if (rrsets.empty() || rrsets.back().type != record.type) {
      rrsets.push_back({.owner = owner, .type = record.type, .ttl = record.ttl});
    }
    rrsets.back().ttl = std::min(rrsets.back().ttl, record.ttl);
    rrsets.back().rdata.emplace_back(RdataOf(record));
  }
  for (dns::RRset& rrset : rrsets) dns::Canonicalize(rrset);
  return rrsets;
}

}  // namespace quorate::zone

#include "zone/export.h"

#include <algorithm>

#include "dns/presentation.h"

namespace quorate::zone {
namespace {

using dns::RRset;
using dns::RRType;

RRType TypeCovered(std::string_view rrsig) {
  if (rrsig.size() < 2) return RRType::kRRSIG;
  return static_cast<RRType>(static_cast<uint8_t>(rrsig[0]) << 8 | static_cast<uint8_t>(rrsig[1]));
}

uint32_t TtlOf(const RRset& rrset, std::string_view rdata, std::span<const RRset> all) {
  if (rrset.type != RRType::kRRSIG) return rrset.ttl;
  const auto covered = std::find_if(all.begin(), all.end(),
                                    [&](const RRset& other) { return other.type == TypeCovered(rdata); });
  return covered != all.end() ? covered->ttl : rrset.ttl;
}

void AppendText(const RRset& rrset, std::span<const RRset> all, std::string& out) {
  const std::string owner = dns::NameToZoneText(rrset.owner) + " ";
  const std::string type = " IN " + dns::TypeToText(rrset.type) + " ";
  for (const std::string& rdata : rrset.rdata) {
    out +=
        owner + std::to_string(TtlOf(rrset, rdata, all)) + type + dns::RdataToText(rrset.type, rdata) + "\n";
  }
}

}  // namespace

std::string NodeToText(std::span<const RRset> rrsets) {
  std::string out;
  for (const RRset& rrset : rrsets) AppendText(rrset, rrsets, out);
  return out;
}

std::string ZoneToText(const Zone& zone) {
  std::string out = dns::RRsetToText(zone.soa_rrset().Materialize());
  for (const Node* node : zone.InCanonicalOrder()) {
    const std::vector<RRset> rrsets = node->Materialize();
    for (const RRset& rrset : rrsets) {
      if (rrset.type != RRType::kSOA) AppendText(rrset, rrsets, out);
    }
  }
  return out;
}

}  // namespace quorate::zone

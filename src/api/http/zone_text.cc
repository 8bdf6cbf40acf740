#include "api/http/zone_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>

namespace quorate::api {
namespace {

constexpr uint32_t kDefaultTtl = 3600;

using RRsetKey = std::pair<dns::Name, dns::RRType>;

dns::Name Below(std::string_view label, const dns::Name& apex) {
  std::string wire(1, static_cast<char>(label.size()));
  wire += label;
  return dns::Name::Concatenate(wire, apex).value_or(apex);
}

bool Has(const std::vector<dns::RRset>& rrsets, const dns::Name& owner, dns::RRType type) {
  return std::any_of(rrsets.begin(), rrsets.end(),
                     [&](const dns::RRset& rrset) { return rrset.type == type && rrset.owner == owner; });
}

}  // namespace

Result<std::vector<dns::RRset>, dns::TextError> RRsetsOfZoneText(const dns::Name& apex,
                                                                 std::string_view text) {
  std::map<RRsetKey, dns::RRset> rrsets;
  const auto error = dns::ParseZoneText(text, {.origin = apex}, [&](dns::TextRecord&& record) -> std::string {
    if (record.rr_class != dns::RRClass::kIN) return "only class IN is served";
    if (!record.owner.IsAtOrBelow(apex)) {
      return fmt::format("{} is outside the zone {}", record.owner.ToText(), apex.ToText());
    }
    const auto [found, is_new] = rrsets.try_emplace({record.owner, record.type});
    dns::RRset& rrset = found->second;
    if (is_new) rrset = {.owner = std::move(record.owner), .type = record.type, .ttl = record.ttl};
    rrset.ttl = std::min(rrset.ttl, record.ttl);
    rrset.rdata.push_back(std::move(record.rdata));
    return "";
  });
  if (error) return *error;
  if (!rrsets.contains({apex, dns::RRType::kSOA})) {
    return dns::TextError{.what = fmt::format("there is no SOA record at the apex {}", apex.ToText())};
  }
  std::vector<dns::RRset> out;
  out.reserve(rrsets.size());
  for (auto& [key, rrset] : rrsets) {
    dns::Canonicalize(rrset);
    out.push_back(std::move(rrset));
  }
  return out;
}

void AddApexDefaults(const dns::Name& apex, const std::vector<dns::Name>& nameservers,
                     std::vector<dns::RRset>& rrsets) {
  std::vector<dns::Name> names = nameservers;
  if (names.empty()) names.push_back(Below("ns1", apex));
  if (!Has(rrsets, apex, dns::RRType::kNS)) {
    dns::RRset ns{.owner = apex, .type = dns::RRType::kNS, .ttl = kDefaultTtl};
    for (const dns::Name& name : names) ns.rdata.emplace_back(name.wire());
    dns::Canonicalize(ns);
    rrsets.push_back(std::move(ns));
  }
  if (!Has(rrsets, apex, dns::RRType::kSOA)) {
    const dns::Soa soa{.mname = names.front(),
                       .rname = Below("hostmaster", apex),
                       .serial = {1},
                       .refresh = 10800,
                       .retry = 3600,
                       .expire = 604800,
                       .minimum = 3600};
    rrsets.push_back(
        {.owner = apex, .type = dns::RRType::kSOA, .ttl = kDefaultTtl, .rdata = {dns::EncodeSoa(soa)}});
  }
}

}  // namespace quorate::api

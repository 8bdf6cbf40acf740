#include "app/seed.h"

#include <fmt/format.h>

#include "base/status_macros.h"
#include "dns/presentation.h"

namespace quorate::app {
namespace {

constexpr uint32_t kTtl = 3600;  // seconds; of NS and addresses, as delegations have it

absl::Status Add(const dns::Name& owner, dns::RRType type, const std::string& text,
                 std::vector<dns::RRset>& rrsets) {
  auto rdata = dns::RdataFromText(type, text);
  if (!rdata.ok()) return absl::InvalidArgumentError(fmt::format("{}: {}", text, rdata.error().what));
  if (rrsets.empty() || !(rrsets.back().owner == owner) || rrsets.back().type != type) {
    rrsets.push_back({owner, type, kTtl, {}});
  }
  rrsets.back().rdata.push_back(*rdata);
  return absl::OkStatus();
}

absl::StatusOr<rsm::ZoneCreate> MakeZone(const std::string& zone, const std::vector<std::string>& servers) {
  const Result<dns::Name, std::string> apex = dns::Name::FromText(zone);
  if (!apex.ok()) return absl::InvalidArgumentError(fmt::format("zone `{}`: {}", zone, apex.error()));
  const std::string below = apex->IsRoot() ? "." : "." + apex->ToText();
  rsm::ZoneCreate made{*apex, {}};
  RETURN_IF_ERROR(Add(*apex, dns::RRType::kSOA,
                      fmt::format("ns1{0} hostmaster{0} 1 3600 600 1209600 300", below), made.rrsets));
  for (size_t i = 1; i <= servers.size(); ++i) {
    RETURN_IF_ERROR(Add(*apex, dns::RRType::kNS, fmt::format("ns{}{}", i, below), made.rrsets));
  }
  for (size_t i = 1; i <= servers.size(); ++i) {
    const std::string& address = servers[i - 1];
    const auto type = address.find(':') == std::string::npos ? dns::RRType::kA : dns::RRType::kAAAA;
    RETURN_IF_ERROR(Add(*dns::Name::FromText(fmt::format("ns{}{}", i, below)), type, address, made.rrsets));
  }
  return made;
}

}  // namespace

absl::StatusOr<rsm::Seed> MakeSeed(const std::vector<std::string>& zones,
                                   const std::vector<std::string>& servers) {
  rsm::Seed seed;
  for (const std::string& zone : zones) {
    ASSIGN_OR_RETURN(rsm::ZoneCreate made, MakeZone(zone, servers));
    seed.zones.push_back(std::move(made));
  }
  return seed;
}

}  // namespace quorate::app

#include "app/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "base/status_macros.h"

namespace quorate::app {
namespace {

constexpr Duration kFormationTimeout = std::chrono::minutes(10);

constexpr std::string_view kLearnerSuffix = "/learner";

}  // namespace

absl::StatusOr<oracle::AssignedMember> ParseMember(const std::string& flag, const std::string& text) {
  const size_t equals = text.find('=');
  uint64_t id = 0;
  const char* end = text.data() + std::min(equals, text.size());
  const auto [parsed, error] = std::from_chars(text.data(), end, id);
  if (equals == std::string::npos || error != std::errc() || parsed != end || id == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: `{}` is not ID=ip:port or ID=ip:port/learner with an ID from 1", flag, text));
  }
  std::string_view address = std::string_view(text).substr(equals + 1);
  oracle::AssignedMember member{.id = MemberId{id}, .voter = !address.ends_with(kLearnerSuffix)};
  if (!member.voter) address.remove_suffix(kLearnerSuffix.size());
  member.addresses.peer = address;
  std::string host;
  uint16_t port = 0;
  if (absl::Status s = SplitAddress(member.addresses.peer, host, port); !s.ok()) {
    return absl::InvalidArgumentError(flag + ": " + MessageOf(s));
  }
  return member;
}

absl::StatusOr<oracle::Assignment> PlaceByHand(const ServeOptions& options) {
  oracle::Assignment place{
      GroupId{options.group_id}, options.group_name, MemberId{options.replica_id}, options.zones, {}};
  for (const std::string& text : options.members) {
    ASSIGN_OR_RETURN(oracle::AssignedMember member, ParseMember("--members", text));
    for (const oracle::AssignedMember& other : place.members) {
      if (other.id == member.id) {
        return absl::InvalidArgumentError(
            fmt::format("--members: two members have the number {}", member.id.value));
      }
    }
    place.members.push_back(std::move(member));
  }
  std::sort(place.members.begin(), place.members.end(),
            [](const auto& a, const auto& b) { return a.id < b.id; });
  const bool listed = std::any_of(place.members.begin(), place.members.end(),
                                  [&](const auto& member) { return member.id == place.replica_id; });
  if (!listed) {
    return absl::InvalidArgumentError(
        fmt::format("--members does not list this replica: it is number {}", options.replica_id));
  }
  if (std::none_of(place.members.begin(), place.members.end(), [](const auto& m) { return m.voter; }))
    return absl::InvalidArgumentError("--members: a group needs a member that votes");
  return place;
}

absl::StatusOr<oracle::Assignment> PlaceFromOracle(const ServeOptions& options, const std::string& uuid,
                                                   uint64_t incarnation, std::stop_token stop) {
  oracle::JoinRequest request{options.oracle_url, options.region, options.inst_id, uuid, incarnation, {}};
  request.addresses.peer = options.advertise_peer.empty() ? options.listen_peer : options.advertise_peer;
  if (!options.listen_dns.empty()) request.addresses.dns = options.listen_dns.front();
  request.addresses.http = options.listen_http;
  request.addresses.etcd = options.listen_etcd;
  return oracle::Join(request, kFormationTimeout, std::move(stop));
}

std::vector<std::string> NameserverHosts(const oracle::Assignment& place) {
  std::vector<std::string> hosts;
  for (const oracle::AssignedMember& member : place.members) {
    std::string host;
    uint16_t port = 0;
    const std::string& address = member.addresses.dns.empty() ? member.addresses.peer : member.addresses.dns;
    if (!SplitAddress(address, host, port).ok()) continue;
    if (std::find(hosts.begin(), hosts.end(), host) == hosts.end()) hosts.push_back(host);
  }
  return hosts;
}

}  // namespace quorate::app

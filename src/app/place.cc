#include "app/place.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

#include "app/join.h"
#include "app/place_file.h"
#include "base/status_macros.h"

namespace quorate::app {
namespace {

constexpr Duration kFormationTimeout = std::chrono::minutes(10);

constexpr std::string_view kLearnerSuffix = "/learner", kJoinedSuffix = "/joined";

}  // namespace

absl::StatusOr<oracle::AssignedMember> ParseMember(const std::string& flag, const std::string& text) {
  const size_t equals = text.find('=');
  uint64_t id = 0;
  const char* end = text.data() + std::min(equals, text.size());
  const auto [parsed, error] = std::from_chars(text.data(), end, id);
  if (equals == std::string::npos || error != std::errc() || parsed != end || id == 0) {
    return absl::InvalidArgumentError(
        fmt::format("{}: `{}` is not ID=ip:port, ID=ip:port/learner or ID=ip:port/joined with an ID "
                    "from 1",
                    flag, text));
  }
  std::string_view address = std::string_view(text).substr(equals + 1);
  oracle::AssignedMember member{.id = MemberId{id},
                                .addresses = {},
                                .voter = !address.ends_with(kLearnerSuffix),
                                .joined = address.ends_with(kJoinedSuffix)};
  if (!member.voter) address.remove_suffix(kLearnerSuffix.size());
  if (member.joined) address.remove_suffix(kJoinedSuffix.size());
  member.addresses.peer = address;
  std::string host;
  uint16_t port = 0;
  if (absl::Status s = SplitAddress(member.addresses.peer, host, port); !s.ok()) {
    return absl::InvalidArgumentError(flag + ": " + MessageOf(s));
  }
  return member;
}

namespace {

// Asks the Oracle until the group is formed or `stop`.
absl::StatusOr<oracle::Assignment> PlaceFromOracle(const ServeOptions& options,
                                                   const storage::Identity& identity, std::stop_token stop) {
  oracle::JoinRequest request{options.oracle_url, options.region,       options.inst_id,
                              identity.uuid,      identity.incarnation, {}};
  request.addresses.peer = options.advertise_peer.empty() ? options.listen_peer : options.advertise_peer;
  if (!options.listen_dns.empty()) request.addresses.dns = options.listen_dns.front();
  request.addresses.http = options.listen_http;
  request.addresses.etcd = options.listen_etcd;
  return oracle::Join(request, kFormationTimeout, std::move(stop));
}

// The group may have another id than when it was joined: it was recovered since, and the directory with it.
absl::StatusOr<oracle::Assignment> PlaceByJoining(const ServeOptions& options,
                                                  const storage::DataDirectory& directory,
                                                  std::stop_token stop,
                                                  const std::function<void(const std::string&)>& notice) {
  const storage::Identity& identity = directory.identity();
  auto joined = LoadPlace(directory.path());
  if (absl::IsNotFound(joined.status())) {
    if (options.join.empty()) {
      return absl::InvalidArgumentError(
          "a new replica is formed by an Oracle (--oracle, --region, --inst-id), by hand (--group-id, "
          "--replica-id, --members), or joins a group (--join URL): give one of the three");
    }
    if (identity.member) {
      return absl::FailedPreconditionError(
          fmt::format("data directory {} belongs to member {} of group {} already: start it as before, or "
                      "join with an empty one",
                      directory.path(), identity.member.value, identity.group.value));
    }
    joined = JoinGroup(options, identity.instance, std::move(stop), notice);
    if (joined.ok()) RETURN_IF_ERROR(SavePlace(directory.path(), *joined));
  }
  if (!joined.ok()) return joined.status();
  return oracle::Assignment{
      identity.member ? identity.group : joined->group, joined->group_name, joined->member, {}, {}};
}

}  // namespace

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
  if (std::none_of(place.members.begin(), place.members.end(),
                   [](const auto& m) { return m.voter && !m.joined; }))
    return absl::InvalidArgumentError("--members: a group needs a member that votes");
  return place;
}

absl::StatusOr<oracle::Assignment> TakePlace(const ServeOptions& options, storage::DataDirectory& directory,
                                             std::stop_token stop,
                                             const std::function<void(const std::string&)>& notice) {
  oracle::Assignment place;
  if (!options.oracle_url.empty()) {
    ASSIGN_OR_RETURN(place, PlaceFromOracle(options, directory.identity(), std::move(stop)));
  } else if (options.replica_id != 0) {
    ASSIGN_OR_RETURN(place, PlaceByHand(options));
  } else {
    ASSIGN_OR_RETURN(place, PlaceByJoining(options, directory, std::move(stop), notice));
  }
  RETURN_IF_ERROR(directory.Assign(place.group_id, place.replica_id));
  return place;
}

raft::Configuration BootstrapConfiguration(const oracle::Assignment& place) {
  raft::Configuration configuration;
  for (const oracle::AssignedMember& member : place.members) {
    if (member.joined && member.id == place.replica_id) return {};
    if (member.joined) continue;
    configuration.members.push_back(
        {.id = member.id, .voter = member.voter, .address = member.addresses.peer});
  }
  return configuration;
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

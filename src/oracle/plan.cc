#include "oracle/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/limits.h"
#include "oracle/names.h"

namespace quorate::oracle {
namespace {

constexpr const char* kNameHint = "use 1 to 64 letters, digits, `-`, `_` and `.`";

Refusal Bad(std::string error, std::string hint) { return {400, std::move(error), std::move(hint)}; }
Refusal Conflict(std::string error, std::string hint) { return {409, std::move(error), std::move(hint)}; }

std::vector<InitRequest::Group> DefaultGroups() {
  return {{.name = "root", .zones = {"."}},
          {.name = "org", .zones = {"org."}},
          {.name = "example.org", .zones = {"example.org."}}};
}

std::optional<Refusal> CheckRegions(const InitRequest& request) {
  if (request.n_regions == 0 || request.n_regions > limits::kRegionsMax) {
    return Bad(fmt::format("n_regions is {}", request.n_regions),
               fmt::format("give 1 to {}", limits::kRegionsMax));
  }
  if (request.region_names.size() != request.n_regions) {
    return Bad(fmt::format("n_regions is {}, but region_names has {} names", request.n_regions,
                           request.region_names.size()),
               "name every region once");
  }
  std::set<std::string> seen;
  for (const std::string& name : request.region_names) {
    if (!IsPlainName(name)) return Bad(fmt::format("region name `{}` is not usable", name), kNameHint);
    if (!seen.insert(name).second) {
      return Bad(fmt::format("region `{}` is named twice", name), "give each region a name of its own");
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckNumbers(const InitRequest& request, size_t n_groups) {
  const uint64_t replicas = request.replicas_per_group, instances = request.instances_per_region;
  if (replicas == 0 || replicas > limits::kReplicasPerGroupMax) {
    return Bad(
        fmt::format("replicas_per_ns is {}", replicas),
        fmt::format("give 1 to {}; 3 survive one failure, 5 survive two", limits::kReplicasPerGroupMax));
  }
  if (instances == 0 || instances % replicas != 0) {
    return Bad(fmt::format("instances_per_region is {}, which replicas_per_ns {} does not divide", instances,
                           replicas),
               "give a multiple, so that every group is full");
  }
  if (instances != n_groups * replicas) {
    return Bad(
        fmt::format("{} groups of {} replicas need {} instances per region, but instances_per_region is {}",
                    n_groups, replicas, n_groups * replicas, instances),
        "change instances_per_region, or list the wanted `groups`");
  }
  return std::nullopt;
}

Result<GroupTemplate, Refusal> PlanGroup(const InitRequest::Group& wanted,
                                         std::set<std::string>& zones_seen) {
  if (!IsPlainName(wanted.name))
    return Bad(fmt::format("group name `{}` is not usable", wanted.name), kNameHint);
  if (wanted.mode == "spanning") {
    return Bad(
        fmt::format("group `{}` asks for mode `spanning`, which this version does not form", wanted.name),
        "use mode `regional`");
  }
  if (wanted.mode != "regional") {
    return Bad(fmt::format("group `{}` has the unknown mode `{}`", wanted.name, wanted.mode),
               "use mode `regional`");
  }
  if (wanted.zones.empty() || wanted.zones.size() > limits::kZonesPerGroupMax) {
    return Bad(fmt::format("group `{}` has {} zones", wanted.name, wanted.zones.size()),
               fmt::format("give 1 to {} zones", limits::kZonesPerGroupMax));
  }
  GroupTemplate group{.name = wanted.name, .zones = {}};
  for (const std::string& zone : wanted.zones) {
    const std::optional<std::string> canonical = CanonicalZone(zone);
    if (!canonical) {
      return Bad(fmt::format("group `{}`: `{}` is not a domain name", wanted.name, zone),
                 "write zones as `example.org.`; the root is `.`");
    }
    if (!zones_seen.insert(*canonical).second) {
      return Bad(fmt::format("zone `{}` is listed twice", *canonical), "a zone belongs to exactly one group");
    }
    group.zones.push_back(*canonical);
  }
  return group;
}

Refusal NotInitialised() { return {425, "this deployment has not been initialised", "run POST /init first"}; }

// The first group of the region that has a place, filled in order, or nothing when the region is full.
std::optional<std::pair<size_t, MemberId>> FreePlace(const Deployment& deployment, size_t region) {
  for (size_t group = 0; group < deployment.layout->groups.size(); ++group) {
    const size_t taken = MembersOf(deployment, region, group).size();
    if (taken < deployment.layout->replicas_per_group) return std::pair{group, MemberId{taken + 1}};
  }
  return std::nullopt;
}

std::optional<Refusal> CheckRegistration(const RegisterRequest& r) {
  if (!IsPlainName(r.inst_id)) return Bad(fmt::format("inst_id `{}` is not usable", r.inst_id), kNameHint);
  if (!IsPlainName(r.uuid)) {
    return Bad("uuid is missing or not usable", "send the UUID of the replica's data directory");
  }
  if (!IsAddress(r.addresses.peer)) {
    return Bad(fmt::format("peer address `{}` is not ip:port", r.addresses.peer),
               "send the address at which the other members reach this replica");
  }
  for (const std::string* address : {&r.addresses.dns, &r.addresses.http, &r.addresses.etcd}) {
    if (!address->empty() && !IsAddress(*address)) {
      return Bad(fmt::format("address `{}` is not ip:port", *address), "write ip:port or [ip6]:port");
    }
  }
  return std::nullopt;
}

// Another instance that already has what must be this one's alone.
std::optional<Refusal> CheckUnique(const Deployment& deployment, const RegisterRequest& request) {
  for (const Replica& other : deployment.replicas) {
    if (other.inst_id == request.inst_id) continue;
    if (other.uuid == request.uuid) {
      return Conflict(
          fmt::format("instance `{}` registered with this data directory already", other.inst_id),
          "a data directory belongs to one replica: start this one with an empty --data directory");
    }
    if (other.addresses.peer == request.addresses.peer) {
      return Conflict(
          fmt::format("instance `{}` has the peer address {} already", other.inst_id, other.addresses.peer),
          "give every replica an address of its own with --listen-peer");
    }
  }
  return std::nullopt;
}

std::optional<Refusal> CheckReturn(const Layout& layout, const Replica& known,
                                   const RegisterRequest& request) {
  if (known.uuid != request.uuid) {
    return Conflict(fmt::format("instance `{}` registered with another data directory (uuid {})",
                                known.inst_id, known.uuid),
                    "start it on its own data directory, or register a new instance under another inst_id");
  }
  if (layout.regions[known.region] != request.region) {
    return Conflict(
        fmt::format("instance `{}` registered in region `{}`", known.inst_id, layout.regions[known.region]),
        "a replica stays in its region");
  }
  return std::nullopt;
}

}  // namespace

Result<Layout, Refusal> PlanLayout(const InitRequest& request) {
  if (auto refusal = CheckRegions(request)) return *std::move(refusal);
  const std::vector<InitRequest::Group> wanted = request.groups.empty() ? DefaultGroups() : request.groups;
  if (wanted.size() > limits::kGroupsMax) {
    return Bad(fmt::format("{} groups are listed", wanted.size()),
               fmt::format("give at most {}", limits::kGroupsMax));
  }
  if (auto refusal = CheckNumbers(request, wanted.size())) return *std::move(refusal);
  Layout layout{.regions = request.region_names,
                .instances_per_region = request.instances_per_region,
                .replicas_per_group = request.replicas_per_group,
                .groups = {}};
  std::set<std::string> names_seen, zones_seen;
  for (const InitRequest::Group& group : wanted) {
    if (!names_seen.insert(group.name).second) {
      return Bad(fmt::format("group `{}` is listed twice", group.name), "give each group a name of its own");
    }
    Result<GroupTemplate, Refusal> planned = PlanGroup(group, zones_seen);
    if (!planned.ok()) return planned.error();
    layout.groups.push_back(*std::move(planned));
  }
  return layout;
}

Result<Deployment, Refusal> Initialise(const Deployment& before, const InitRequest& request) {
  Result<Layout, Refusal> layout = PlanLayout(request);
  if (!layout.ok()) return layout.error();
  if (before.layout && *before.layout != *layout) {
    return Conflict(
        "this deployment was initialised with other values",
        "see GET /status; a different deployment needs an Oracle with a state directory of its own");
  }
  Deployment after = before;
  after.layout = *std::move(layout);
  return after;
}

Result<Deployment, Refusal> Register(const Deployment& before, const RegisterRequest& request) {
  if (!before.layout) return NotInitialised();
  if (auto refusal = CheckRegistration(request)) return *std::move(refusal);
  const auto& regions = before.layout->regions;
  const auto region = std::ranges::find(regions, request.region);
  if (region == regions.end()) {
    return Bad(fmt::format("there is no region `{}`", request.region),
               fmt::format("the regions are {}", fmt::join(regions, ", ")));
  }
  if (auto refusal = CheckUnique(before, request)) return *std::move(refusal);

  Deployment after = before;
  const auto known = std::ranges::find(after.replicas, request.inst_id, &Replica::inst_id);
  if (known != after.replicas.end()) {
    if (auto refusal = CheckReturn(*before.layout, *known, request)) return *std::move(refusal);
    known->addresses = request.addresses;
    known->incarnation = std::max(known->incarnation, request.incarnation);
    return after;
  }
  const size_t region_index = static_cast<size_t>(region - regions.begin());
  const auto place = FreePlace(before, region_index);
  if (!place) {
    return Conflict(fmt::format("region `{}` has all of its {} instances", request.region,
                                before.layout->instances_per_region),
                    "every place is taken; see GET /status");
  }
  after.replicas.push_back({.inst_id = request.inst_id,
                            .uuid = request.uuid,
                            .incarnation = request.incarnation,
                            .addresses = request.addresses,
                            .region = region_index,
                            .group = place->first,
                            .id = place->second});
  return after;
}

Result<const Replica*, Refusal> FindEnv(const Deployment& deployment, const std::string& inst_id,
                                        const std::string& region) {
  if (!deployment.layout) return NotInitialised();
  const Replica* replica = FindInstance(deployment, inst_id);
  if (!replica) {
    return Refusal{404, fmt::format("instance `{}` is not registered", inst_id),
                   "POST /register_replica first"};
  }
  const std::string& registered = deployment.layout->regions[replica->region];
  if (registered != region) {
    return Bad(fmt::format("instance `{}` registered in region `{}`, not `{}`", inst_id, registered, region),
               "ask with the region it registered in");
  }
  return replica;
}

}  // namespace quorate::oracle

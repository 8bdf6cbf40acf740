#include "oracle/json.h"

#include <fmt/format.h>

#include <utility>

#include "oracle/json_fields.h"

namespace quorate::oracle {
namespace {

Refusal BadBody(std::string error, const char* example) {
  return {400, std::move(error), fmt::format("send JSON like {}", example)};
}

constexpr const char* kInitExample =
    R"({"n_regions":"2","region_names":["us-east-1","ap-southeast-1"],"instances_per_region":"9","replicas_per_ns":"3"})";
constexpr const char* kRegisterExample =
    R"({"inst_id":"i-1","region":"us-east-1","uuid":"...","addresses":{"peer":"ip:port","dns":"ip:port"}})";
constexpr const char* kEnvExample = R"({"inst_id":"i-1","region":"us-east-1"})";

Addresses ReadAddresses(const Json& object, Fields& parent) {
  Fields fields(object);
  Addresses addresses{.peer = fields.Text("peer"),
                      .dns = fields.Text("dns", false),
                      .http = fields.Text("http", false),
                      .etcd = fields.Text("etcd", false)};
  if (!fields.error().empty()) parent.Fail("addresses: " + fields.error());
  return addresses;
}

const char* PhaseName(Phase phase) {
  switch (phase) {
    case Phase::kUninitialised:
      return "uninitialised";
    case Phase::kForming:
      return "forming";
    case Phase::kReady:
      return "ready";
  }
  return "unknown";
}

bool IsFormed(const Deployment& deployment, const Replica& replica) {
  return MembersOf(deployment, replica.region, replica.group).size() == deployment.layout->replicas_per_group;
}

Json GroupJson(const Deployment& deployment, size_t region, size_t group) {
  Json replicas = Json::array();
  const std::vector<const Replica*> members = MembersOf(deployment, region, group);
  const bool formed = members.size() == deployment.layout->replicas_per_group;
  for (const Replica* replica : members) {
    Json one = {{"id", replica->id.value}, {"inst_id", replica->inst_id}};
    PutAddresses(one, replica->addresses);
    one["state"] = formed ? "assigned" : "registered";
    replicas.push_back(std::move(one));
  }
  const GroupTemplate& wanted = deployment.layout->groups[group];
  return {{"name", wanted.name},
          {"id", GroupIdOf(*deployment.layout, region, group).value},
          {"mode", "regional"},
          {"zones", wanted.zones},
          {"replicas", std::move(replicas)}};
}

}  // namespace

Result<InitRequest, Refusal> ParseInit(std::string_view body) {
  const Json json = ParseText(body);
  Fields fields(json);
  InitRequest request{.n_regions = fields.Number("n_regions"),
                      .region_names = fields.Texts("region_names"),
                      .instances_per_region = fields.Number("instances_per_region"),
                      .replicas_per_group = fields.Number("replicas_per_ns"),
                      .groups = {}};
  for (const Json& element : fields.Array("groups", false)) {
    Fields group(element);
    InitRequest::Group one{.name = group.Text("name"), .zones = group.Texts("zones")};
    if (element.contains("mode")) one.mode = group.Text("mode");
    if (!group.error().empty()) fields.Fail("groups: " + group.error());
    request.groups.push_back(std::move(one));
  }
  if (!fields.error().empty()) return BadBody(fields.error(), kInitExample);
  return request;
}

Result<RegisterRequest, Refusal> ParseRegister(std::string_view body) {
  const Json json = ParseText(body);
  Fields fields(json);
  RegisterRequest request{.inst_id = fields.Text("inst_id"),
                          .region = fields.Text("region"),
                          .uuid = fields.Text("uuid"),
                          .incarnation = fields.Number("incarnation", false),
                          .addresses = {}};
  request.addresses = ReadAddresses(fields.Object("addresses", true), fields);
  if (!fields.error().empty()) return BadBody(fields.error(), kRegisterExample);
  return request;
}

Result<EnvQuery, Refusal> ParseEnvQuery(std::string_view body) {
  const Json json = ParseText(body);
  Fields fields(json);
  EnvQuery query{.inst_id = fields.Text("inst_id"), .region = fields.Text("region")};
  if (!fields.error().empty()) return BadBody(fields.error(), kEnvExample);
  return query;
}

std::string StatusJson(const Deployment& deployment) {
  Json regions = Json::array();
  if (deployment.layout) {
    for (size_t region = 0; region < deployment.layout->regions.size(); ++region) {
      Json groups = Json::array();
      for (size_t group = 0; group < deployment.layout->groups.size(); ++group) {
        groups.push_back(GroupJson(deployment, region, group));
      }
      regions.push_back({{"name", deployment.layout->regions[region]}, {"groups", std::move(groups)}});
    }
  }
  return Json{{"phase", PhaseName(PhaseOf(deployment))}, {"regions", std::move(regions)}}.dump();
}

std::string EnvJson(const Deployment& deployment, const Replica& replica) {
  const GroupTemplate& group = deployment.layout->groups[replica.group];
  Json members = Json::array(), targets = Json::array();
  for (const Replica* member : MembersOf(deployment, replica.region, replica.group)) {
    Json one = {{"id", member->id.value}};
    PutAddresses(one, member->addresses);
    members.push_back(std::move(one));
    if (!member->addresses.dns.empty()) targets.push_back(member->addresses.dns);
  }
  return Json{{"status", IsFormed(deployment, replica) ? "ok" : "pending"},
              {"inst_id", replica.inst_id},
              {"region", deployment.layout->regions[replica.region]},
              {"replica_id", replica.id.value},
              {"group_id", GroupIdOf(*deployment.layout, replica.region, replica.group).value},
              {"group", group.name},
              {"zones", group.zones},
              {"members", std::move(members)},
              // No balancer stands before the group: clients use its replicas.
              {"balancer", {{"kind", "none"}, {"targets", std::move(targets)}}}}
      .dump();
}

std::string RefusalJson(const Refusal& refusal) {
  return Json{{"error", refusal.error}, {"hint", refusal.hint}}.dump(-1, ' ', false,
                                                                     Json::error_handler_t::replace);
}

absl::StatusOr<std::optional<Assignment>> ParseEnv(std::string_view body) {
  const Json json = ParseText(body);
  Fields fields(json);
  const std::string status = fields.Text("status");
  if (fields.error().empty() && status == "pending") return std::optional<Assignment>();
  Assignment assignment{.group_id = GroupId{fields.Number("group_id")},
                        .group = fields.Text("group"),
                        .replica_id = MemberId{fields.Number("replica_id")},
                        .zones = fields.Texts("zones"),
                        .members = {}};
  bool self_is_member = false;
  for (const Json& element : fields.Array("members", true)) {
    Fields member(element);
    const MemberId id{member.Number("id")};
    if (!member.error().empty()) fields.Fail("members: " + member.error());
    assignment.members.push_back({.id = id, .addresses = ReadAddresses(element, fields)});
    self_is_member |= id == assignment.replica_id;
  }
  if (fields.error().empty() && (status != "ok" || !self_is_member)) {
    fields.Fail("it names no place of this replica");
  }
  if (!fields.error().empty()) {
    return absl::InternalError("the Oracle's answer is not understood: " + fields.error());
  }
  return std::optional(std::move(assignment));
}

}  // namespace quorate::oracle

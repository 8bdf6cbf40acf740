// What the group and this replica are doing, and handing leadership over.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/group_json.h"
#include "api/http/records_json.h"

namespace quorate::api {
namespace {

using nlohmann::json;

const char* StateName(raft::PeerStatus::State state) {
  switch (state) {
    case raft::PeerStatus::State::kProbe:
      return "probe";
    case raft::PeerStatus::State::kReplicate:
      return "replicate";
    case raft::PeerStatus::State::kSnapshot:
      return "snapshot";
  }
  return "unknown";
}

json MemberToJson(const raft::Member& member, const raft::Status& raft) {
  json out = {{"id", member.id.value},
              {"address", member.address},
              {"voter", member.voter},
              {"role", member.id == raft.leader ? "leader"
                       : member.voter           ? "follower"
                                                : "learner"}};
  if (member.id == raft.self && raft.role != raft::Role::kLeader) out["role"] = RoleName(raft.role);
  if (member.id == raft.self) out["match"] = raft.durable.value;
  for (const raft::PeerStatus& peer : raft.peers) {
    if (peer.id != member.id) continue;
    out["match"] = peer.match.value;
    out["next"] = peer.next.value;
    out["state"] = StateName(peer.state);
    out["recent"] = peer.recent;
  }
  return out;
}

json MembersToJson(const raft::Status& raft) {
  json out = json::array();
  for (const raft::Member& member : raft.configuration.members) out.push_back(MemberToJson(member, raft));
  return out;
}

void HandleTransfer(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("to") || !body["to"].is_number_unsigned()) {
    return respond(
        ErrorResponse(400, "malformed", "the body must be {\"to\": id}, the id of a voter, or 0 for any"));
  }
  const MemberId to{body["to"].get<uint64_t>()};
  context->backend.client->TransferLeadership(to, [respond = std::move(respond)](const absl::Status& status) {
    respond(status.ok() ? HttpResponse{.body = Dump({{"result", "transferred"}})} : StatusResponse(status));
  });
}

}  // namespace

const char* RoleName(raft::Role role) {
  switch (role) {
    case raft::Role::kFollower:
      return "follower";
    case raft::Role::kPreCandidate:
      return "pre-candidate";
    case raft::Role::kCandidate:
      return "candidate";
    case raft::Role::kLeader:
      return "leader";
  }
  return "unknown";
}

json GroupToJson(const HttpBackend& backend) {
  const replica::GroupStatus status = backend.client->Status();
  const raft::Status& raft = status.raft;
  json zones = json::array();
  for (const dns::Name& apex : backend.zones()) zones.push_back(apex.ToText());
  return {{"group", {{"id", status.group.value}, {"name", backend.group}, {"region", backend.region}}},
          {"replica", raft.self.value},
          {"role", RoleName(raft.role)},
          {"leader", raft.leader.value},
          {"term", raft.hard_state.current_term.value},
          {"commit", raft.commit.value},
          {"applied", raft.applied.value},
          {"log", {{"first", raft.first.value}, {"last", raft.last.value}, {"durable", raft.durable.value}}},
          {"state_hash",
           {{"index", status.state_hash_at.value}, {"hash", fmt::format("{:016x}", status.state_hash)}}},
          {"can_read", status.can_read},
          {"group_time_ms", std::chrono::duration_cast<std::chrono::milliseconds>(status.group_time).count()},
          {"transferring_to", raft.transferring_to.value},
          {"members", MembersToJson(raft)},
          {"zones", std::move(zones)},
          {"etcd", backend.etcd},
          {"version", backend.version}};
}

void AddGroupRoutes(const ContextPtr& context, Router& router) {
  router.Add({"GET", "/api/v1/group", [context](const HttpRequest&, const Respond& respond) {
                respond({.body = Dump(GroupToJson(context->backend))});
              }});
  router.Add({"GET", "/api/v1/group/members", [context](const HttpRequest&, const Respond& respond) {
                respond({.body = Dump(MembersToJson(context->backend.client->Status().raft))});
              }});
  router.Add({"POST", "/api/v1/group/transfer", [context](const HttpRequest& request, Respond respond) {
                HandleTransfer(context, request, std::move(respond));
              }});
}

}  // namespace quorate::api

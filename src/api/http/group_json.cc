#include "api/http/group_json.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace quorate::api {
namespace {

using nlohmann::json;

int64_t Milliseconds(Duration duration) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(duration).count();
}

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

void AddLease(raft::LeaseState state, Duration left, json& out) {
  const LeaseStateText text = TextOf(state);
  out["lease"] = text.code;
  out["lease_text"] = text.text;
  out["lease_left_ms"] = Milliseconds(left);
}

void AddPeer(const raft::PeerStatus& peer, LogIndex last, json& out) {
  out["match"] = peer.match.value;
  out["next"] = peer.next.value;
  out["state"] = StateName(peer.state);
  out["recent"] = peer.recent;
  out["received"] = peer.received.value;
  out["applied"] = peer.applied.value;
  out["caught_up"] = peer.caught_up;
  out["feature_level"] = peer.feature_level;
  out["disk_low"] = peer.disk_low;
  out["lag"] = last.value - std::min(last, peer.match).value;
  out["drift_ppm"] = peer.drift_ppm;
  AddLease(peer.lease, peer.lease_left, out);
}

// What only the leader knows of others is there only if this replica leads.
json MemberToJson(const raft::Member& member, const raft::Status& raft, uint64_t own_feature_level) {
  json out = {{"id", member.id.value},
              {"address", member.address},
              {"voter", member.voter},
              {"lease_eligible", member.lease_eligible},
              {"lease_barred", member.lease_barred},
              {"role", member.id == raft.leader ? "leader"
                       : member.voter           ? "follower"
                                                : "learner"},
              {"promote", member.promote},
              {"replaces", member.replaces.value},
              {"leaving", member.leaving},
              {"repairing", member.repairing},
              {"instance", InstanceText(member.instance)}};
  for (const raft::PeerStatus& peer : raft.peers)
    if (peer.id == member.id) AddPeer(peer, raft.last, out);
  if (member.id != raft.self) return out;
  if (raft.role != raft::Role::kLeader && member.voter) out["role"] = RoleName(raft.role);
  out["match"] = raft.durable.value;
  out["received"] = raft.last.value;
  out["applied"] = raft.applied.value;
  out["feature_level"] = own_feature_level;
  if (raft.role == raft::Role::kLeader) {
    out["lag"] = raft.last.value - raft.durable.value;
    out["recent"] = out["caught_up"] = true;
    out["drift_ppm"] = 0;
    AddLease(raft.lease, raft.lease_left, out);
  } else {
    out["lease_left_ms"] = Milliseconds(raft.lease_left);
  }
  return out;
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

LeaseStateText TextOf(raft::LeaseState state) {
  switch (state) {
    case raft::LeaseState::kHolder:
      return {"holder", "is given a read lease"};
    case raft::LeaseState::kOff:
      return {"off", "leases are off"};
    case raft::LeaseState::kNotEligible:
      return {"not_eligible", "not eligible"};
    case raft::LeaseState::kConfigurationPending:
      return {"configuration_pending", "a configuration change is pending"};
    case raft::LeaseState::kSilent:
      return {"silent", "silent"};
    case raft::LeaseState::kLeft:
      return {"left", "left"};
    case raft::LeaseState::kRevoked:
      return {"revoked", "revoked: held up writes"};
    case raft::LeaseState::kAlarm:
      return {"alarm", "alarm: disk or state machine late"};
    case raft::LeaseState::kDrift:
      return {"drift", "clock drift"};
    case raft::LeaseState::kBehind:
      return {"behind", "behind"};
    case raft::LeaseState::kLate:
      return {"late", "late"};
  }
  return {"unknown", "unknown"};
}

std::string InstanceText(uint64_t instance) {
  return instance == 0 ? std::string() : fmt::format("{:016x}", instance);
}

bool IsChangeUnderWay(const raft::Configuration& configuration) {
  return !configuration.outgoing_voters.empty() ||
         std::ranges::any_of(configuration.members, &raft::Member::leaving);
}

json MembersToJson(const raft::Status& raft, uint64_t own_feature_level) {
  json out = json::array();
  for (const raft::Member& member : raft.configuration.members)
    out.push_back(MemberToJson(member, raft, own_feature_level));
  return out;
}

json TimingToJson(const raft::Timing& timing) {
  return {{"heartbeat_ms", Milliseconds(timing.heartbeat)},
          {"election_ms", Milliseconds(timing.election_min)},
          {"lease_ms", Milliseconds(timing.lease)},
          {"lease_wait_ms", Milliseconds(timing.lease_wait)},
          {"lease_wanted_ms", Milliseconds(timing.lease_wanted)},
          {"ack_late_ms", Milliseconds(timing.ack_late)},
          {"hold_ms", Milliseconds(timing.hold)}};
}

json DiskToJson(const HttpBackend& backend) {
  if (!backend.disk) return nullptr;
  const HttpBackend::Disk disk = backend.disk();
  return {{"free_bytes", disk.free_bytes}, {"low", disk.low}};
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
          {"lease_left_ms", Milliseconds(raft.lease_left)},
          {"read_rounds", status.read_rounds},
          {"leases", raft.configuration.leases_on},
          {"timing", TimingToJson(raft.configuration.timing)},
          {"transferring_to", raft.transferring_to.value},
          {"feature_level", raft.configuration.feature_level},
          {"change_under_way", IsChangeUnderWay(raft.configuration)},
          {"members", MembersToJson(raft, backend.feature_level)},
          {"zones", std::move(zones)},
          {"disk", DiskToJson(backend)},
          {"etcd", backend.etcd},
          {"version", backend.version}};
}

}  // namespace quorate::api

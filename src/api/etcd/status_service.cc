#include "api/etcd/status_service.h"

#include <algorithm>

#include "kv/store.h"

namespace quorate::api::etcd {
namespace {

class Refusal final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Refusal(const std::string& method) {
    Finish({grpc::StatusCode::UNIMPLEMENTED, "etcdserver: " + method + " is not part of Quorate's etcd API"});
  }
  void OnDone() override { delete this; }
};

int64_t CurrentRevision(const Door& door) {
  return static_cast<int64_t>(kv::ReadMeta(*door.backend.map).current.value);
}

}  // namespace

grpc::ServerUnaryReactor* MaintenanceService::Status(grpc::CallbackServerContext* context,
                                                     const etcdserverpb::StatusRequest*,
                                                     etcdserverpb::StatusResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  AfterRead(call, /*serializable=*/true, [this, context, response] {
    const replica::GroupStatus status = door_.backend.client->Status();
    const raft::Status& now = status.raft;
    const auto group_time = std::chrono::duration_cast<std::chrono::milliseconds>(status.group_time);
    context->AddTrailingMetadata("quorate-group-time-ms", std::to_string(group_time.count()));
    door_.FillHeader(*response->mutable_header());
    response->mutable_header()->set_revision(CurrentRevision(door_));
    // Clients look for the API's version; ours is build metadata (semver.org, item 10).
    response->set_version("3.4.0+quorate." + door_.backend.version);
    response->set_leader(now.leader.value);
    response->set_raftindex(now.commit.value);
    response->set_raftappliedindex(now.applied.value);
    response->set_raftterm(now.hard_state.current_term.value);
    if (door_.backend.state_bytes) {
      response->set_dbsize(static_cast<int64_t>(door_.backend.state_bytes()));
      response->set_dbsizeinuse(response->dbsize());
    }
    if (!now.leader) response->add_errors("etcdserver: no leader");
    const auto& members = now.configuration.members;
    response->set_islearner(std::any_of(members.begin(), members.end(), [&](const raft::Member& member) {
      return member.id == now.self && !member.voter;
    }));
    return grpc::Status::OK;
  });
  return reactor;
}

grpc::ServerUnaryReactor* MaintenanceService::Alarm(grpc::CallbackServerContext* context,
                                                    const etcdserverpb::AlarmRequest* request,
                                                    etcdserverpb::AlarmResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  if (request->action() == etcdserverpb::AlarmRequest::ACTIVATE) {
    call->Finish({grpc::StatusCode::UNIMPLEMENTED, "etcdserver: alarms cannot be set"});
  } else {
    AfterRead(call, /*serializable=*/true, [this, response] {
      door_.FillHeader(*response->mutable_header());
      response->mutable_header()->set_revision(CurrentRevision(door_));
      return grpc::Status::OK;
    });
  }
  return reactor;
}

grpc::ServerUnaryReactor* ClusterService::MemberList(grpc::CallbackServerContext* context,
                                                     const etcdserverpb::MemberListRequest* request,
                                                     etcdserverpb::MemberListResponse* response) {
  grpc::ServerUnaryReactor* const reactor = context->DefaultReactor();
  const auto call = Call::Begin(door_, context, reactor);
  if (!call) return reactor;
  AfterRead(call, !request->linearizable(), [this, response] {
    const raft::Status now = door_.backend.client->Status().raft;
    door_.FillHeader(*response->mutable_header());
    response->mutable_header()->set_revision(CurrentRevision(door_));
    for (const raft::Member& member : now.configuration.members) {
      etcdserverpb::Member& out = *response->add_members();
      out.set_id(member.id.value);
      out.set_name("replica-" + std::to_string(member.id.value));
      out.add_peerurls("http://" + member.address);
      out.set_islearner(!member.voter);
      if (member.id != now.self) continue;  // where the others' doors are, the group does not know
      for (const std::string& address : door_.options.listen) {
        out.add_clienturls((door_.options.tls ? "https://" : "http://") + address);
      }
    }
    return grpc::Status::OK;
  });
  return reactor;
}

grpc::ServerGenericBidiReactor* OtherMethods::CreateReactor(grpc::GenericCallbackServerContext* context) {
  return new Refusal(context->method());
}

}  // namespace quorate::api::etcd

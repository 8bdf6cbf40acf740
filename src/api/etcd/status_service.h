// etcdserverpb.Maintenance and Cluster, what there is of them, and the answer to everything else.
#pragma once

#include <grpcpp/generic/async_generic_service.h>

#include "api/etcd/call.h"
#include "etcd/rpc.grpc.pb.h"

namespace quorate::api::etcd {

class MaintenanceService final : public etcdserverpb::Maintenance::CallbackService {
 public:
  explicit MaintenanceService(Door& door) : door_(door) {}
  grpc::ServerUnaryReactor* Status(grpc::CallbackServerContext* context,
                                   const etcdserverpb::StatusRequest* request,
                                   etcdserverpb::StatusResponse* response) override;
  // There are no alarms: a replica that cannot write stops.
  grpc::ServerUnaryReactor* Alarm(grpc::CallbackServerContext* context,
                                  const etcdserverpb::AlarmRequest* request,
                                  etcdserverpb::AlarmResponse* response) override;

 private:
  Door& door_;
};

class ClusterService final : public etcdserverpb::Cluster::CallbackService {
 public:
  explicit ClusterService(Door& door) : door_(door) {}
  grpc::ServerUnaryReactor* MemberList(grpc::CallbackServerContext* context,
                                       const etcdserverpb::MemberListRequest* request,
                                       etcdserverpb::MemberListResponse* response) override;

 private:
  Door& door_;
};

// Answers UNIMPLEMENTED, naming the method.
class OtherMethods final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(grpc::GenericCallbackServerContext* context) override;
};

}  // namespace quorate::api::etcd

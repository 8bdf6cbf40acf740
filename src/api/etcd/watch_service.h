// etcdserverpb.Watch.
#pragma once

#include "api/etcd/call.h"
#include "api/etcd/watch_hub.h"
#include "etcd/rpc.grpc.pb.h"

namespace quorate::api::etcd {

class WatchService final : public etcdserverpb::Watch::CallbackService {
 public:
  WatchService(Door& door, WatchHub& hub) : door_(door), hub_(hub) {}
  grpc::ServerBidiReactor<etcdserverpb::WatchRequest, etcdserverpb::WatchResponse>* Watch(
      grpc::CallbackServerContext* context) override;

 private:
  Door& door_;
  WatchHub& hub_;
};

}  // namespace quorate::api::etcd

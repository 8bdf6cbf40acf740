// The etcd v3 door: gRPC on TCP, for etcdctl and etcd's client libraries. KV, Watch, Maintenance.Status,
// Cluster.MemberList; other methods are answered UNIMPLEMENTED.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "api/etcd/backend.h"
#include "api/etcd/watch_hub.h"

namespace quorate::api {

class EtcdServer {
 public:
  // Listens on all of options.listen. `hub` is told of every change by the state machine's observer (Publish,
  // Reset), outlives the server, and is started and stopped by it. kUnavailable: an address cannot be
  // listened on; kInvalidArgument: an address or certificate makes no sense.
  static absl::StatusOr<std::unique_ptr<EtcdServer>> Start(EtcdBackend backend, EtcdOptions options,
                                                           WatchHub& hub);
  ~EtcdServer();  // Stop()

  // Ends all watches, waits for the calls under way (each has its own time limit), then for nothing. Any
  // thread; once.
  void Stop();

  // The ports listened on, in the order of options.listen.
  const std::vector<int>& ports() const { return ports_; }

 private:
  struct Services;
  EtcdServer(EtcdBackend backend, EtcdOptions options, WatchHub& hub);
  absl::Status Listen();

  WatchHub& hub_;
  std::unique_ptr<Services> services_;
  std::vector<int> ports_;
};

}  // namespace quorate::api

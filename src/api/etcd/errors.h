// Refusals as etcd's clients know them: code and text of etcd's rpctypes/error.go.
#pragma once

#include <grpcpp/support/status.h>

#include "absl/status/status.h"
#include "kv/types.h"
#include "replica/client.h"
#include "rsm/outcome.h"

namespace quorate::api::etcd {

inline grpc::Status TooManyRequests() {
  return {grpc::StatusCode::RESOURCE_EXHAUSTED, "etcdserver: too many requests"};
}
inline grpc::Status RequestTooLarge() {
  return {grpc::StatusCode::INVALID_ARGUMENT, "etcdserver: request is too large"};
}
inline grpc::Status TimedOut() { return {grpc::StatusCode::UNAVAILABLE, "etcdserver: request timed out"}; }
inline grpc::Status Stopped() { return {grpc::StatusCode::UNAVAILABLE, "etcdserver: server stopped"}; }

grpc::Status ToStatus(kv::Error error);
grpc::Status ToStatus(replica::Refusal refusal);
// Of a read barrier; not OK.
grpc::Status ToStatus(const absl::Status& status);
// Of a command that was refused.
grpc::Status ToStatus(const rsm::CommandResult& result);

}  // namespace quorate::api::etcd

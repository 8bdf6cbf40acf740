#include "api/etcd/errors.h"

#include "base/check.h"

namespace quorate::api::etcd {

using grpc::StatusCode;

grpc::Status ToStatus(kv::Error error) {
  const auto code = [&] {
    switch (error) {
      case kv::Error::kCompacted:
      case kv::Error::kFutureRevision:
        return StatusCode::OUT_OF_RANGE;
      case kv::Error::kLeaseNotFound:
        return StatusCode::NOT_FOUND;
      case kv::Error::kEmptyKey:
      case kv::Error::kKeyNotFound:
      case kv::Error::kValueProvided:
      case kv::Error::kLeaseProvided:
      case kv::Error::kTooManyOps:
      case kv::Error::kDuplicateKey:
      case kv::Error::kTooDeep:
        return StatusCode::INVALID_ARGUMENT;
    }
    CheckFailed(__FILE__, __LINE__, "an error without a code");
  };
  return {code(), std::string(kv::ErrorText(error))};
}

grpc::Status ToStatus(replica::Refusal refusal) {
  switch (refusal) {
    case replica::Refusal::kFeatureLevel:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: not supported by all members yet"};
    case replica::Refusal::kNoLeader:
      return {StatusCode::UNAVAILABLE, "etcdserver: no leader"};
    case replica::Refusal::kQueueFull:
      return TooManyRequests();
    case replica::Refusal::kTooLarge:
      return RequestTooLarge();
    case replica::Refusal::kStopping:
      return Stopped();
    case replica::Refusal::kDiskLow:
      return {StatusCode::RESOURCE_EXHAUSTED,
              "etcdserver: mvcc: database space exceeded"};  // as etcd's NOSPACE
  }
  CheckFailed(__FILE__, __LINE__, "a refusal without a status");
}

grpc::Status ToStatus(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kDeadlineExceeded:
      return TimedOut();
    case absl::StatusCode::kResourceExhausted:
      return TooManyRequests();
    case absl::StatusCode::kUnavailable:
      return ToStatus(replica::Refusal::kNoLeader);
    default:
      return {StatusCode::UNAVAILABLE, "etcdserver: " + std::string(status.message())};
  }
}

grpc::Status ToStatus(const rsm::CommandResult& result) {
  if (result.store_error) return ToStatus(*result.store_error);
  switch (result.refused) {
    case rsm::Refused::kReserved:
      return {StatusCode::PERMISSION_DENIED, "etcdserver: permission denied: " + result.reason};
    case rsm::Refused::kUnknown:
      return {StatusCode::UNKNOWN, "etcdserver: " + result.reason};
    case rsm::Refused::kTableFull:
      return {StatusCode::RESOURCE_EXHAUSTED, "etcdserver: " + result.reason};
    case rsm::Refused::kKeyReused:
      return {StatusCode::FAILED_PRECONDITION, "etcdserver: " + result.reason};
    default:
      return {StatusCode::INVALID_ARGUMENT, "etcdserver: " + result.reason};
  }
}

}  // namespace quorate::api::etcd

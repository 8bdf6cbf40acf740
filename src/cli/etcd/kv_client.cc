#include "cli/etcd/kv_client.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include <charconv>
#include <fstream>
#include <iterator>

#include "etcd/rpc.grpc.pb.h"

namespace quorate::cli {
namespace {

KvPair PairOf(const mvccpb::KeyValue& kv) {
  return {.key = kv.key(),
          .value = kv.value(),
          .create_revision = kv.create_revision(),
          .mod_revision = kv.mod_revision(),
          .version = kv.version()};
}

// The end of the range of everything that begins with `prefix`, as etcd clients say it.
std::string PrefixEnd(std::string prefix) {
  while (!prefix.empty() && static_cast<uint8_t>(prefix.back()) == 0xff) prefix.pop_back();
  if (prefix.empty()) return std::string(1, '\0');
  ++prefix.back();
  return prefix;
}

template <class Request>
void SetRange(const KvKey& key, Request& request) {
  request.set_key(key.key.empty() ? std::string(1, '\0') : key.key);
  if (key.prefix) request.set_range_end(PrefixEnd(key.key));
}

// The door's own word, in trailing metadata; empty: the answer is not the door's.
std::string OutcomeOf(const grpc::ClientContext& context) {
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto it = metadata.find("quorate-outcome");
  return it == metadata.end() ? "" : std::string(it->second.data(), it->second.size());
}

KvError ErrorOf(const grpc::Status& status, const std::string& outcome = "") {
  if (outcome == "unknown") {
    const bool for_good = status.error_code() == grpc::StatusCode::UNKNOWN;
    return {for_good ? KvError::Kind::kUnknownForGood : KvError::Kind::kUnknown, status.error_message()};
  }
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
      // gRPC says this also of a connection that broke under the call.
      if (outcome.empty() && !status.error_message().starts_with("failed to connect"))
        return {KvError::Kind::kUnknown, status.error_message()};
      return {KvError::Kind::kUnavailable, status.error_message()};
    case grpc::StatusCode::RESOURCE_EXHAUSTED:
      return {KvError::Kind::kUnavailable, status.error_message()};
    case grpc::StatusCode::DEADLINE_EXCEEDED:
    case grpc::StatusCode::CANCELLED:
    case grpc::StatusCode::UNKNOWN:
      return {KvError::Kind::kUnknown, status.error_message()};
    default:
      return {KvError::Kind::kRefused, status.error_message()};
  }
}

std::string Contents(const std::string& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void SetDeadline(grpc::ClientContext& context, Duration timeout) {
  context.set_deadline(std::chrono::system_clock::now() +
                       std::chrono::duration_cast<std::chrono::system_clock::duration>(timeout));
}

}  // namespace

struct KvClient::Impl {
  explicit Impl(std::shared_ptr<grpc::Channel> c)
      : channel(std::move(c)),
        kv(etcdserverpb::KV::NewStub(channel)),
        maintenance(etcdserverpb::Maintenance::NewStub(channel)),
        watch(etcdserverpb::Watch::NewStub(channel)) {}

  static KvReply Finish(const grpc::ClientContext& context, const grpc::Status& status, KvReply reply) {
    if (!status.ok()) reply.error = ErrorOf(status, OutcomeOf(context));
    return reply;
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
  std::unique_ptr<etcdserverpb::Maintenance::Stub> maintenance;
  std::unique_ptr<etcdserverpb::Watch::Stub> watch;
};

KvClient::KvClient(const std::string& address, const std::string& ca_file) {
  auto credentials = ca_file.empty() ? grpc::InsecureChannelCredentials()
                                     : grpc::SslCredentials({.pem_root_certs = Contents(ca_file)});
  grpc::ChannelArguments arguments;
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetMaxReceiveMessageSize(-1);
  impl_ = std::make_unique<Impl>(grpc::CreateCustomChannel(address, credentials, arguments));
}
KvClient::~KvClient() = default;

std::optional<uint64_t> KvClient::GroupTimeMs(Duration timeout, KvError& error) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  etcdserverpb::StatusResponse response;
  const grpc::Status status = impl_->maintenance->Status(&context, {}, &response);
  if (!status.ok()) {
    error = ErrorOf(status);
    return std::nullopt;
  }
  const auto& metadata = context.GetServerTrailingMetadata();
  const auto it = metadata.find("quorate-group-time-ms");
  uint64_t ms = 0;
  if (it != metadata.end()) std::from_chars(it->second.begin(), it->second.end(), ms);
  return ms;
}

KvReply KvClient::Put(const std::string& key, const std::string& value, const std::string& idempotency_key,
                      Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  context.AddMetadata("quorate-idempotency-key", idempotency_key);
  etcdserverpb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  etcdserverpb::PutResponse response;
  const grpc::Status status = impl_->kv->Put(&context, request, &response);
  return Impl::Finish(context, status, {.revision = response.header().revision()});
}

KvReply KvClient::Delete(const KvKey& key, const std::string& idempotency_key, Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  context.AddMetadata("quorate-idempotency-key", idempotency_key);
  etcdserverpb::DeleteRangeRequest request;
  SetRange(key, request);
  etcdserverpb::DeleteRangeResponse response;
  const grpc::Status status = impl_->kv->DeleteRange(&context, request, &response);
  return Impl::Finish(context, status,
                      {.revision = response.header().revision(), .deleted = response.deleted()});
}

KvReply KvClient::Get(const KvKey& key, int64_t revision, const std::string& consistency, Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  if (!consistency.empty()) context.AddMetadata("quorate-consistency", consistency);
  etcdserverpb::RangeRequest request;
  SetRange(key, request);
  request.set_revision(revision);
  etcdserverpb::RangeResponse response;
  const grpc::Status status = impl_->kv->Range(&context, request, &response);
  KvReply reply{.revision = response.header().revision()};
  for (const mvccpb::KeyValue& kv : response.kvs()) reply.kvs.push_back(PairOf(kv));
  return Impl::Finish(context, status, std::move(reply));
}

KvError KvClient::Watch(const KvKey& key, int64_t from, int64_t& next,
                        const std::function<bool(const KvEvent&)>& event) {
  grpc::ClientContext context;
  const auto stream = impl_->watch->Watch(&context);
  etcdserverpb::WatchRequest request;
  SetRange(key, *request.mutable_create_request());
  request.mutable_create_request()->set_start_revision(from);
  stream->Write(request);
  etcdserverpb::WatchResponse response;
  while (stream->Read(&response)) {
    if (response.canceled()) {
      return {KvError::Kind::kRefused,
              response.compact_revision() > 0
                  ? fmt::format("the history before revision {} is compacted", response.compact_revision())
                  : response.cancel_reason()};
    }
    for (const mvccpb::Event& e : response.events()) {
      if (!event({e.type() == mvccpb::Event::DELETE, PairOf(e.kv())})) {
        context.TryCancel();
        return {KvError::Kind::kRefused, ""};
      }
    }
    next = std::max<int64_t>(next, response.header().revision() + 1);
  }
  return ErrorOf(stream->Finish());
}

}  // namespace quorate::cli

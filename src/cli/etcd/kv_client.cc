#include "cli/etcd/kv_client.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

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

KvError ErrorOf(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::UNAVAILABLE:
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
        watch(etcdserverpb::Watch::NewStub(channel)) {}

  // The server closed the connection under the call, so it may have seen it; connection refused is told apart
  // by the channel that never became ready.
  KvReply Finish(const grpc::Status& status, KvReply reply) {
    if (!status.ok()) reply.error = ErrorOf(status);
    return reply;
  }

  std::shared_ptr<grpc::Channel> channel;
  std::unique_ptr<etcdserverpb::KV::Stub> kv;
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

KvReply KvClient::Put(const std::string& key, const std::string& value, const std::string& session,
                      Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  context.AddMetadata("quorate-session", session);
  etcdserverpb::PutRequest request;
  request.set_key(key);
  request.set_value(value);
  etcdserverpb::PutResponse response;
  const grpc::Status status = impl_->kv->Put(&context, request, &response);
  return impl_->Finish(status, {.revision = response.header().revision()});
}

KvReply KvClient::Delete(const KvKey& key, const std::string& session, Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  context.AddMetadata("quorate-session", session);
  etcdserverpb::DeleteRangeRequest request;
  SetRange(key, request);
  etcdserverpb::DeleteRangeResponse response;
  const grpc::Status status = impl_->kv->DeleteRange(&context, request, &response);
  return impl_->Finish(status, {.revision = response.header().revision(), .deleted = response.deleted()});
}

KvReply KvClient::Get(const KvKey& key, int64_t revision, Duration timeout) {
  grpc::ClientContext context;
  SetDeadline(context, timeout);
  etcdserverpb::RangeRequest request;
  SetRange(key, request);
  request.set_revision(revision);
  etcdserverpb::RangeResponse response;
  const grpc::Status status = impl_->kv->Range(&context, request, &response);
  KvReply reply{.revision = response.header().revision()};
  for (const mvccpb::KeyValue& kv : response.kvs()) reply.kvs.push_back(PairOf(kv));
  return impl_->Finish(status, std::move(reply));
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

#include "transport/grpc/grpc_transport.h"

#include <grpcpp/grpcpp.h>

#include <map>
#include <mutex>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "base/status_macros.h"
#include "peer.grpc.pb.h"
#include "raft/codec.h"
#include "transport/grpc/hello.h"
#include "transport/grpc/peer_client.h"

namespace quorate::transport {
namespace {

// One entry may be as large as a command; the rest of its frame is small beside that.
constexpr int kFrameBytesMax = static_cast<int>(limits::kCommandBytesMax + 2 * limits::kAppendBytesMax);
constexpr size_t kGuestsMax = 2 * limits::kMembersMax;
constexpr int kKeepaliveMs = 2000;  // notices a peer that is gone without a word

grpc::ChannelArguments ChannelOptions(const std::optional<TlsOptions>& tls) {
  grpc::ChannelArguments args;
  args.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 50);
  args.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 1000);  // also how long one attempt to connect may take
  args.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1000);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, kKeepaliveMs);
  args.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  args.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);  // one connection per peer, never shared
  args.SetMaxSendMessageSize(kFrameBytesMax);
  if (tls && !tls->peer_name.empty()) args.SetSslTargetNameOverride(tls->peer_name);
  return args;
}

std::shared_ptr<grpc::ChannelCredentials> ClientCredentials(const std::optional<TlsOptions>& tls) {
  if (!tls) return grpc::InsecureChannelCredentials();
  return grpc::SslCredentials({tls->ca, tls->key, tls->certificate});
}

std::shared_ptr<grpc::ServerCredentials> ServerCredentials(const std::optional<TlsOptions>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY);
  options.pem_root_certs = tls->ca;
  options.pem_key_cert_pairs.push_back({tls->key, tls->certificate});
  return grpc::SslServerCredentials(options);
}

// Where members that called can be answered, listed by SetPeers or not: one that was removed must hear of it,
// and one that has just been added does not know the others yet.
class Guests {
 public:
  // `stream` tells two calls of one member apart: the end of the earlier may come late.
  void Came(MemberId id, const std::string& address, const void* stream) {
    std::lock_guard lock(mu_);
    if (address.empty() || (addresses_.size() >= kGuestsMax && !addresses_.contains(id))) return;
    addresses_[id] = {address, stream};
  }
  void Left(MemberId id, const void* stream) {
    std::lock_guard lock(mu_);
    const auto at = addresses_.find(id);
    if (at != addresses_.end() && at->second.second == stream) addresses_.erase(at);
  }
  std::string AddressOf(MemberId id) const {
    std::lock_guard lock(mu_);
    const auto at = addresses_.find(id);
    return at == addresses_.end() ? "" : at->second.first;
  }

 private:
  mutable std::mutex mu_;
  std::map<MemberId, std::pair<std::string, const void*>> addresses_;  // guarded by mu_
};

// What every inbound stream needs to know.
struct Receiver {
  std::string deployment;
  GroupId group;
  MemberId self;
  uint8_t message_version;
  MessageHandler handler;
  std::function<void(const std::string&)> notice;
  Guests& guests;
};

// One stream from a peer.
class Inbound final : public grpc::ServerReadReactor<peer::v1::Frame> {
 public:
  Inbound(const Receiver& receiver, grpc::CallbackServerContext& context) : receiver_(receiver) {
    const auto hello = ReadHello(context);
    if (auto why = Mismatch(hello, receiver.deployment, receiver.group, receiver.self)) {
      receiver_.notice(absl::StrCat("refused a peer from ", context.peer(), ": ", *why));
      Finish(grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, *why));
      return;
    }
    from_ = hello->from;
    receiver_.guests.Came(from_, hello->address, this);
    context.AddInitialMetadata(kAcceptedKey, "1");
    context.AddInitialMetadata(kVersionKey, std::to_string(receiver.message_version));
    StartSendInitialMetadata();
    StartRead(&frame_);
  }

  void OnReadDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::OK);
    for (const std::string& bytes : frame_.messages()) {
      auto message = raft::DecodeMessage(bytes);
      if (!message || message->from != from_ || message->to != receiver_.self) {
        receiver_.notice(
            absl::StrCat("a malformed message from member ", from_.value, ": its stream is closed"));
        return Finish(grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "malformed message"));
      }
      receiver_.handler(*std::move(message));
    }
    StartRead(&frame_);
  }
  void OnDone() override {
    if (from_) receiver_.guests.Left(from_, this);
    delete this;
  }

 private:
  const Receiver& receiver_;
  MemberId from_;
  peer::v1::Frame frame_;
};

class Service final : public peer::v1::Peer::CallbackService {
 public:
  explicit Service(Receiver receiver) : receiver_(std::move(receiver)) {}
  grpc::ServerReadReactor<peer::v1::Frame>* Messages(grpc::CallbackServerContext* context,
                                                     peer::v1::End*) override {
    return new Inbound(receiver_, *context);
  }

 private:
  const Receiver receiver_;
};

class Transport final : public GrpcTransport {
 public:
  Transport(GrpcTransportOptions options, MessageHandler handler)
      : options_(std::move(options)),
        service_({options_.deployment, options_.group, options_.self, options_.message_version,
                  std::move(handler), options_.on_notice, guests_}) {}
  ~Transport() override {
    SetPeers({});
    if (!server_) return;
    server_->Shutdown(std::chrono::system_clock::now());
    server_->Wait();
  }

  absl::Status Listen() {
    grpc::ServerBuilder builder;
    // Without this a second replica on the same port would silently share it.
    builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);
    builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kKeepaliveMs / 2);
    builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
    builder.SetMaxReceiveMessageSize(kFrameBytesMax);
    builder.AddListeningPort(options_.listen, ServerCredentials(options_.tls), &port_);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    if (!server_ || port_ == 0)
      return absl::UnavailableError("cannot listen on " + options_.listen +
                                    " for peers: the address is in use or not of this machine");
    return absl::OkStatus();
  }

  int port() const override { return port_; }

  void Send(raft::Message message) override {
    std::shared_ptr<PeerClient> peer;
    bool is_new = false;
    {
      std::lock_guard lock(mu_);
      auto found = peers_.find(message.to);
      if (found == peers_.end()) {
        const std::string address = guests_.AddressOf(message.to);
        if (address.empty() || message.to == options_.self) return;
        found = peers_.emplace(message.to, MakeClient(message.to, address)).first;
        is_new = true;
      }
      peer = found->second;
    }
    if (is_new) peer->Start();
    peer->Send(std::move(message));
  }

  void SetPeers(const std::map<MemberId, std::string>& peers) override {
    std::vector<std::shared_ptr<PeerClient>> leaving, coming;
    {
      std::lock_guard lock(mu_);
      for (auto it = peers_.begin(); it != peers_.end();) {
        const auto wanted = peers.find(it->first);
        const bool stays = wanted != peers.end() && wanted->second == it->second->address();
        if (!stays) leaving.push_back(std::move(it->second));
        it = stays ? std::next(it) : peers_.erase(it);
      }
      for (const auto& [id, address] : peers) {
        if (id == options_.self || peers_.contains(id)) continue;
        coming.push_back(peers_[id] = MakeClient(id, address));
      }
    }
    for (const auto& peer : coming) peer->Start();
    for (const auto& peer : leaving) peer->Stop();
  }

 private:
  std::shared_ptr<PeerClient> MakeClient(MemberId id, const std::string& address) const {
    auto channel =
        grpc::CreateCustomChannel(address, ClientCredentials(options_.tls), ChannelOptions(options_.tls));
    const Hello hello{.deployment = options_.deployment,
                      .group = options_.group,
                      .from = options_.self,
                      .to = id,
                      .address = options_.advertise.empty() ? options_.listen : options_.advertise,
                      .version = options_.message_version};
    return std::make_shared<PeerClient>(address, std::move(channel), hello, options_.on_notice);
  }

  const GrpcTransportOptions options_;
  Guests guests_;
  std::mutex mu_;
  std::map<MemberId, std::shared_ptr<PeerClient>> peers_;  // guarded by mu_
  Service service_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

}  // namespace

absl::StatusOr<std::unique_ptr<GrpcTransport>> GrpcTransport::Start(GrpcTransportOptions options,
                                                                    MessageHandler handler) {
  if (options.tls &&
      (options.tls->certificate.empty() || options.tls->key.empty() || options.tls->ca.empty()))
    return absl::InvalidArgumentError("TLS between peers needs a certificate, its key and the CA");
  if (!options.on_notice) options.on_notice = [](const std::string&) {};
  auto transport = std::make_unique<Transport>(std::move(options), std::move(handler));
  RETURN_IF_ERROR(transport->Listen());
  return transport;
}

}  // namespace quorate::transport

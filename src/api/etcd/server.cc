#include "api/etcd/server.h"

#include <fmt/format.h>
#include <grpcpp/grpcpp.h>

#include "api/etcd/kv_service.h"
#include "api/etcd/status_service.h"
#include "api/etcd/watch_service.h"
#include "base/limits.h"
#include "base/status_macros.h"

namespace quorate::api {
namespace {

constexpr int kMessageBytesMax = static_cast<int>(limits::kEtcdRequestBytesMax) + (512 << 10);  // as etcd
constexpr int kPingMillisMin = 5000;  // clients that ping more often are cut off, as by etcd

std::shared_ptr<grpc::ServerCredentials> Credentials(const std::optional<EtcdTls>& tls) {
  if (!tls) return grpc::InsecureServerCredentials();
  grpc::SslServerCredentialsOptions options;
  options.pem_root_certs = tls->client_ca;
  options.pem_key_cert_pairs.push_back({tls->private_key, tls->certificate_chain});
  options.client_certificate_request = tls->client_ca.empty()
                                           ? GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE
                                           : GRPC_SSL_REQUEST_AND_REQUIRE_CLIENT_CERTIFICATE_AND_VERIFY;
  return grpc::SslServerCredentials(options);
}

}  // namespace

struct EtcdServer::Services {
  Services(EtcdBackend backend, EtcdOptions options, WatchHub& hub)
      : door(std::move(backend), std::move(options)), watch(door, hub) {}

  etcd::Door door;
  etcd::KvService kv{door};
  etcd::WatchService watch;
  etcd::MaintenanceService maintenance{door};
  etcd::ClusterService cluster{door};
  etcd::OtherMethods others;
  std::unique_ptr<grpc::Server> server;
};

EtcdServer::EtcdServer(EtcdBackend backend, EtcdOptions options, WatchHub& hub)
    : hub_(hub), services_(std::make_unique<Services>(std::move(backend), std::move(options), hub)) {}

absl::StatusOr<std::unique_ptr<EtcdServer>> EtcdServer::Start(EtcdBackend backend, EtcdOptions options,
                                                              WatchHub& hub) {
  if (options.listen.empty()) return absl::InvalidArgumentError("the etcd door has no address to listen on");
  std::unique_ptr<EtcdServer> server(new EtcdServer(std::move(backend), std::move(options), hub));
  RETURN_IF_ERROR(server->Listen());
  return server;
}

absl::Status EtcdServer::Listen() {
  Services& s = *services_;
  grpc::ServerBuilder builder;
  const auto credentials = Credentials(s.door.options.tls);
  ports_.resize(s.door.options.listen.size());
  for (size_t i = 0; i < ports_.size(); ++i) {
    builder.AddListeningPort(s.door.options.listen[i], credentials, &ports_[i]);
  }
  builder.SetMaxReceiveMessageSize(kMessageBytesMax);
  builder.AddChannelArgument(GRPC_ARG_ALLOW_REUSEPORT, 0);  // a port in use is an error
  builder.AddChannelArgument(GRPC_ARG_HTTP2_MIN_RECV_PING_INTERVAL_WITHOUT_DATA_MS, kPingMillisMin);
  builder.AddChannelArgument(GRPC_ARG_KEEPALIVE_PERMIT_WITHOUT_CALLS, 1);
  builder.RegisterService(&s.kv);
  builder.RegisterService(&s.watch);
  builder.RegisterService(&s.maintenance);
  builder.RegisterService(&s.cluster);
  builder.RegisterCallbackGenericService(&s.others);
  hub_.Start();
  s.server = builder.BuildAndStart();
  if (s.server) return absl::OkStatus();
  hub_.Stop();
  for (size_t i = 0; i < ports_.size(); ++i) {
    if (ports_[i] != 0) continue;
    return absl::UnavailableError(
        fmt::format("the etcd door cannot listen on {}: is the address this machine's, and "
                    "the port free?{}",
                    s.door.options.listen[i], s.door.options.tls ? " Are certificate and key right?" : ""));
  }
  return absl::InvalidArgumentError("the etcd door does not start: are certificate and key right?");
}

EtcdServer::~EtcdServer() { Stop(); }

void EtcdServer::Stop() {
  if (!services_) return;
  if (services_->server) {
    hub_.Stop();
    services_->server->Shutdown(std::chrono::system_clock::now() + std::chrono::milliseconds(100));
    services_->server->Wait();
  }
  services_.reset();
}

}  // namespace quorate::api

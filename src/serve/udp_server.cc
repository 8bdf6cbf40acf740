#include "serve/udp_server.h"

#include "base/status_macros.h"
#include "serve/sockets.h"
#include "serve/udp_worker.h"

namespace quorate::serve {

absl::StatusOr<std::unique_ptr<UdpServer>> UdpServer::Start(ServerOptions options, DataSource source) {
  const auto workers = static_cast<size_t>(std::max(1, options.workers));
  ASSIGN_OR_RETURN(auto sockets, OpenSockets(SocketKind::kUdp, options.addresses, workers));
  std::unique_ptr<UdpServer> server(new UdpServer);
  for (const auto& of_address : sockets) server->addresses_.push_back(BoundAddress(of_address.front().get()));
  for (size_t w = 0; w < workers; ++w) {
    std::vector<UniqueFd> own;
    for (auto& of_address : sockets) own.push_back(std::move(of_address[w]));
    server->workers_.push_back(std::make_unique<UdpWorker>(std::move(own), options, source));
  }
  return server;
}

UdpServer::~UdpServer() = default;

std::vector<Counters> UdpServer::ReadCounters() const {
  std::vector<Counters> out;
  for (const auto& worker : workers_) out.push_back(worker->ReadCounters());
  return out;
}

}  // namespace quorate::serve

#include "serve/tcp_server.h"

#include "base/status_macros.h"
#include "serve/sockets.h"
#include "serve/tcp_worker.h"

namespace quorate::serve {

absl::StatusOr<std::unique_ptr<TcpServer>> TcpServer::Start(ServerOptions options, DataSource source) {
  const auto workers = static_cast<size_t>(std::max(1, options.workers));
  ASSIGN_OR_RETURN(auto sockets, OpenSockets(SocketKind::kTcp, options.addresses, workers));
  std::unique_ptr<TcpServer> server(new TcpServer);
  for (const auto& of_address : sockets) server->addresses_.push_back(BoundAddress(of_address.front().get()));
  for (size_t w = 0; w < workers; ++w) {
    std::vector<UniqueFd> own;
    for (auto& of_address : sockets) own.push_back(std::move(of_address[w]));
    server->workers_.push_back(std::make_unique<TcpWorker>(std::move(own), options, source));
  }
  return server;
}

TcpServer::~TcpServer() = default;

std::vector<Counters> TcpServer::ReadCounters() const {
  std::vector<Counters> out;
  for (const auto& worker : workers_) out.push_back(worker->ReadCounters());
  return out;
}

}  // namespace quorate::serve

// DNS over TCP (RFC 7766): worker threads, each with its own SO_REUSEPORT listeners and a bounded number of
// connections, whose queries are answered in their order, pipelined or not.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "serve/counters.h"
#include "serve/worker_options.h"

namespace quorate::serve {

class TcpWorker;

class TcpServer {
 public:
  // Opens the sockets, then starts to answer. The error names address and port and what to do.
  static absl::StatusOr<std::unique_ptr<TcpServer>> Start(ServerOptions options, DataSource source);
  // Stops and joins the workers; queries still held are not answered.
  ~TcpServer();

  // As bound, in the order of the options.
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  // One reading for each worker. Any thread.
  std::vector<Counters> ReadCounters() const;

 private:
  TcpServer() = default;
  std::vector<SocketAddress> addresses_;
  std::vector<std::unique_ptr<TcpWorker>> workers_;
};

}  // namespace quorate::serve

// DNS over UDP: worker threads, each with its own SO_REUSEPORT sockets, batches in and out, and memory set
// aside at the start.
#pragma once

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "serve/counters.h"
#include "serve/worker_options.h"

namespace quorate::serve {

class UdpWorker;

class UdpServer {
 public:
  // Opens the sockets, then starts to answer. The error names address and port and what to do.
  static absl::StatusOr<std::unique_ptr<UdpServer>> Start(ServerOptions options, DataSource source);
  // Stops and joins the workers; queries still held are not answered.
  ~UdpServer();

  // As bound, in the order of the options.
  const std::vector<SocketAddress>& addresses() const { return addresses_; }
  // One reading for each worker. Any thread.
  std::vector<Counters> ReadCounters() const;

 private:
  UdpServer() = default;
  std::vector<SocketAddress> addresses_;
  std::vector<std::unique_ptr<UdpWorker>> workers_;
};

}  // namespace quorate::serve

#include "oracle/oracle.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <csignal>

#include "base/status_macros.h"
#include "oracle/http_server.h"
#include "oracle/service.h"

namespace quorate::oracle {

absl::Status RunOracle(const OracleOptions& options) {
  if (options.data_dir.empty()) {
    return absl::InvalidArgumentError("the Oracle has nowhere to keep its state: give --data DIR");
  }
  ASSIGN_OR_RETURN(const Endpoint endpoint, ParseListen(options.listen));
  ASSIGN_OR_RETURN(const std::unique_ptr<Service> service, Service::Open(options.data_dir));

  boost::asio::io_context io(1);
  ASSIGN_OR_RETURN(const std::shared_ptr<HttpServer> server, HttpServer::Listen(io, endpoint, *service));
  boost::asio::signal_set signals(io, SIGTERM, SIGINT);
  signals.async_wait([&](boost::system::error_code, int) { server->Stop(); });
  spdlog::info("oracle: listening on http://{}, state in {}", options.listen, options.data_dir);
  io.run();
  spdlog::info("oracle: stopped");
  return absl::OkStatus();
}

}  // namespace quorate::oracle

#include "oracle/oracle.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

#include <csignal>
#include <utility>

#include "base/limits.h"
#include "base/status_macros.h"

namespace quorate::oracle {
namespace {

bool IsLoopback(const std::string& address) {
  return address.starts_with("127.") || address.starts_with("[::1]:");
}

api::HttpResponse ToResponse(Reply reply) {
  api::HttpResponse response{.status = reply.status, .body = std::move(reply.body) + "\n"};
  if (!reply.allow.empty()) response.headers.emplace_back("Allow", reply.allow);
  return response;
}

}  // namespace

absl::StatusOr<std::unique_ptr<api::Listener>> Listen(const std::string& address, Service& service) {
  if (!IsLoopback(address)) {
    return absl::InvalidArgumentError(fmt::format(
        "--listen: {} is not ip:port or [ip6]:port of a loopback address; the Oracle's door has no TLS "
        "yet: listen on 127.0.0.1 or [::1]",
        address));
  }
  api::ListenerOptions options{.address = address};
  options.admit = [](const api::HttpRequest&) { return limits::kOracleRequestBytesMax; };
  options.limits.connections = limits::kOracleConnectionsMax;
  // The disk is waited for in the listener's thread: it has nothing else to do, and requests are served in
  // order.
  options.handler = [&service](const api::HttpRequest& request, const api::Respond& respond) {
    respond(ToResponse(service.Handle(request.method, request.path, request.body)));
  };
  return api::Listener::Start(std::move(options));
}

absl::Status RunOracle(const OracleOptions& options) {
  if (options.data_dir.empty()) {
    return absl::InvalidArgumentError("the Oracle has nowhere to keep its state: give --data DIR");
  }
  // Before any thread starts, so that only the wait below sees them.
  sigset_t stop_signals;
  sigemptyset(&stop_signals);
  sigaddset(&stop_signals, SIGTERM);
  sigaddset(&stop_signals, SIGINT);
  pthread_sigmask(SIG_BLOCK, &stop_signals, nullptr);

  ASSIGN_OR_RETURN(const std::unique_ptr<Service> service, Service::Open(options.data_dir));
  ASSIGN_OR_RETURN(const std::unique_ptr<api::Listener> listener, Listen(options.listen, *service));
  spdlog::info("oracle: listening on http://{}, state in {}", options.listen, options.data_dir);
  int signal = 0;
  sigwait(&stop_signals, &signal);
  listener->Stop();
  spdlog::info("oracle: stopped");
  return absl::OkStatus();
}

}  // namespace quorate::oracle

#include "oracle/http_server.h"

#include <fmt/format.h>

#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <charconv>
#include <chrono>
#include <optional>
#include <utility>

#include "base/limits.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

constexpr std::chrono::seconds kIdle{30};

http::response<http::string_body> ToResponse(Reply reply, unsigned version, bool keep_alive) {
  http::response<http::string_body> response;
  response.result(static_cast<unsigned>(reply.status));
  response.version(version);
  response.set(http::field::content_type, "application/json");
  if (!reply.allow.empty()) response.set(http::field::allow, reply.allow);
  response.body() = std::move(reply.body) + "\n";
  response.keep_alive(keep_alive);
  response.prepare_payload();
  return response;
}

Reply Malformed(error_code error) {
  const bool too_long = error == http::error::body_limit || error == http::error::header_limit;
  return {
      .status = too_long ? 413 : 400,
      .body = RefusalJson({0, "the request cannot be read: " + error.message(), "send HTTP/1.1 with JSON"})};
}

}  // namespace

class HttpServer::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, std::shared_ptr<HttpServer> server)
      : stream_(std::move(socket)), server_(std::move(server)) {
    server_->connections_.insert(this);
  }
  ~Connection() { server_->connections_.erase(this); }

  void Read() {
    parser_.emplace();
    parser_->body_limit(limits::kOracleRequestBytesMax);
    stream_.expires_after(kIdle);
    reading_ = true;
    http::async_read(stream_, buffer_, *parser_,
                     [self = shared_from_this()](error_code error, size_t) { self->OnRead(error); });
  }

  // A connection that waits for a request has nothing to lose.
  void StopReading() {
    stopping_ = true;
    if (reading_) stream_.cancel();
  }

 private:
  void OnRead(error_code error) {
    reading_ = false;
    // The client left, was silent for too long, or we stop: nobody waits for an answer.
    const bool gone = error == http::error::end_of_stream || error == beast::error::timeout ||
                      error.category() == asio::error::get_system_category();
    if (error && gone) return Close();
    if (error) return Write(Malformed(error), 11, false);
    const auto& request = parser_->get();
    const std::string_view target(request.target().data(), request.target().size());
    const std::string_view method(request.method_string().data(), request.method_string().size());
    Write(server_->service_.Handle(method, target.substr(0, target.find('?')), request.body()),
          request.version(), request.keep_alive() && !stopping_);
  }

  void Write(Reply reply, unsigned version, bool keep_alive) {
    response_ = ToResponse(std::move(reply), version, keep_alive);
    stream_.expires_after(kIdle);
    http::async_write(stream_, response_, [self = shared_from_this()](error_code error, size_t) {
      if (error || !self->response_.keep_alive() || self->stopping_) return self->Close();
      self->Read();
    });
  }

  void Close() {
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
  }

  beast::tcp_stream stream_;
  const std::shared_ptr<HttpServer> server_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  http::response<http::string_body> response_;
  bool reading_ = false, stopping_ = false;
};

absl::StatusOr<Endpoint> ParseListen(const std::string& listen) {
  const size_t colon = listen.rfind(':');
  std::string host = listen.substr(0, colon);
  if (host.size() > 2 && host.front() == '[' && host.back() == ']') host = host.substr(1, host.size() - 2);
  error_code error;
  const asio::ip::address address = asio::ip::make_address(host, error);
  unsigned port = 0;
  const bool has_port = colon != std::string::npos && [&] {
    const char *begin = listen.data() + colon + 1, *end = listen.data() + listen.size();
    const auto [stop, bad] = std::from_chars(begin, end, port);
    return bad == std::errc() && stop == end && port <= 65535;
  }();
  if (error || !has_port) {
    return absl::InvalidArgumentError(fmt::format("--listen: `{}` is not ip:port or [ip6]:port", listen));
  }
  if (!address.is_loopback()) {
    return absl::InvalidArgumentError(
        fmt::format("--listen: {} is not a loopback address, and the Oracle's door has no TLS yet: listen on "
                    "127.0.0.1 or [::1]",
                    listen));
  }
  return Endpoint(address, static_cast<uint16_t>(port));
}

absl::StatusOr<std::shared_ptr<HttpServer>> HttpServer::Listen(asio::io_context& io, const Endpoint& endpoint,
                                                               Service& service) {
  std::shared_ptr<HttpServer> server(new HttpServer(io, service));
  error_code error;
  server->acceptor_.open(endpoint.protocol(), error);
  if (!error) server->acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) server->acceptor_.bind(endpoint, error);
  if (!error) server->acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (error) {
    return absl::UnavailableError(
        fmt::format("cannot listen on {}:{}: {}; stop what uses it (see `ss -ltnp`) or give another --listen",
                    endpoint.address().to_string(), endpoint.port(), error.message()));
  }
  server->Accept();
  return server;
}

void HttpServer::Accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, asio::ip::tcp::socket socket) {
    if (!self->acceptor_.is_open()) return;
    // Beyond the bound a connection is closed at once: its client tries again.
    if (!error && self->connections_.size() < limits::kOracleConnectionsMax) {
      std::make_shared<Connection>(std::move(socket), self)->Read();
    }
    self->Accept();
  });
}

void HttpServer::Stop() {
  error_code ignored;
  acceptor_.close(ignored);
  const std::set<Connection*> connections = connections_;
  for (Connection* connection : connections) connection->StopReading();
}

}  // namespace quorate::oracle

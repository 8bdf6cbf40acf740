// The Oracle's HTTP/1.1 door (Boost.Beast): one thread, a bounded number of connections, every step with a
// deadline.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <set>
#include <string>

#include "absl/status/statusor.h"
#include "oracle/service.h"

namespace quorate::oracle {

using Endpoint = boost::asio::ip::tcp::endpoint;

// A numeric "ip:port" or "[ip6]:port" on loopback; the error says why another address is not taken.
absl::StatusOr<Endpoint> ParseListen(const std::string& listen);

class HttpServer : public std::enable_shared_from_this<HttpServer> {
 public:
  // Accepts from when `io` runs. `service` and `io` must outlive the server. Everything happens in the thread
  // that runs `io`.
  static absl::StatusOr<std::shared_ptr<HttpServer>> Listen(boost::asio::io_context& io,
                                                            const Endpoint& endpoint, Service& service);
  Endpoint local_endpoint() const { return acceptor_.local_endpoint(); }

  // Closes the listener and idle connections; a reply under way is still sent. `io.run()` then returns.
  void Stop();

 private:
  class Connection;
  HttpServer(boost::asio::io_context& io, Service& service) : acceptor_(io), service_(service) {}
  void Accept();

  boost::asio::ip::tcp::acceptor acceptor_;
  Service& service_;
  std::set<Connection*> connections_;
};

}  // namespace quorate::oracle

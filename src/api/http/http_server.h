// The HTTP/JSON door: the PowerDNS Authoritative API v1 for zones and records, our own additions, group
// status, health and metrics. docs: README.md beside this file.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "api/http/backend.h"
#include "api/http/listener.h"

namespace quorate::api {

struct HttpServerOptions {
  std::string address;              // "ip:port" or "[ip6]:port"; port 0: any free one
  std::string tls_cert, tls_key;    // PEM files; needed off loopback
  std::vector<std::string> tokens;  // one of them must come with each request; needed off loopback
  Duration write_timeout = std::chrono::seconds(5);  // until a write is answered "unknown"
  Duration read_timeout = std::chrono::seconds(2);   // for the read barrier
  size_t import_piece_bytes = size_t{1} << 20;  // a larger zone file goes into the log in pieces of this size
  ListenerLimits limits;
};

// One thread for the sockets and one for work on whole zones.
class HttpServer {
 public:
  // Listens when it returns. The error says what to do: an address in use, TLS or tokens missing off
  // loopback.
  static absl::StatusOr<std::unique_ptr<HttpServer>> Start(HttpServerOptions options, HttpBackend backend);
  ~HttpServer();
  // Blocks until no handler runs. Requests under way get no answer. Then the client may be stopped.
  void Stop();
  uint16_t port() const;

 private:
  struct Impl;
  explicit HttpServer(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// A token file: a token per line; blank lines and lines that begin with # do not count. The error names the
// file.
absl::StatusOr<std::vector<std::string>> LoadTokens(const std::string& file);

}  // namespace quorate::api

// HTTP/1.1 on a socket: bounded, asynchronous, with or without TLS. Knows nothing of what is served.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <variant>

#include "absl/status/statusor.h"
#include "api/http/message.h"
#include "base/types.h"

namespace quorate::api {

struct ListenerLimits {
  size_t header_bytes = 16 << 10;
  size_t body_bytes = 1 << 20;  // of a request whose Admit does not say otherwise
  size_t connections = 512;     // one more is closed at once
  size_t large_bodies = 2;      // requests above `body_bytes` under way; one more is answered 503
  Duration idle = std::chrono::seconds(75);      // waiting for a request
  Duration transfer = std::chrono::seconds(60);  // to receive a body, or to send a reply
};

struct ListenerOptions {
  std::string address;            // "ip:port" or "[ip6]:port", numeric; port 0: any free one
  std::string tls_cert, tls_key;  // PEM files; both or neither
  ListenerLimits limits;
  // Asked once the header of a request is there, before its body is read. A response ends the request (and
  // the connection); a number is how large its body may be. Listener's thread.
  std::function<std::variant<size_t, HttpResponse>(const HttpRequest& head)> admit;
  // Whether the body of such a request is given to the handler in parts, as it comes in; may be null. A reply
  // before the end of the body ends the connection. Listener's thread.
  std::function<bool(const HttpRequest& head)> in_parts;
  HttpHandler handler;
};

// Owns one thread, in which everything happens. Replies may be given from any thread, also after Stop(): then
// they go nowhere.
class Listener {
 public:
  // Listens when it returns. The error names the address or the file.
  static absl::StatusOr<std::unique_ptr<Listener>> Start(ListenerOptions options);
  ~Listener();
  // Closes everything; no handler is called afterwards. Blocks until the thread has ended.
  void Stop();

  uint16_t port() const;
  struct Counters {
    uint64_t requests = 0, connections = 0, refused_connections = 0, open_connections = 0;
  };
  Counters counters() const;  // any thread

 private:
  class Impl;
  explicit Listener(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::api

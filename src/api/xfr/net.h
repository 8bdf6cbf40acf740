// Sockets towards other nameservers: blocking, with deadlines. A thread of its own uses them.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/clock.h"
#include "wire/error.h"
#include "zone/remote.h"

struct ssl_ctx_st;
struct ssl_st;

namespace quorate::api::xfr {

// Owns a descriptor.
class Socket {
 public:
  Socket() = default;
  explicit Socket(int fd) : fd_(fd) {}
  Socket(Socket&& other) noexcept;
  Socket& operator=(Socket&& other) noexcept;
  ~Socket();
  int get() const { return fd_; }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

// Where our own doors listen: other servers know us by these addresses, and allow them. Loopback addresses
// are used towards loopback only.
using SourceAddresses = std::vector<zone::Address>;
// True: whoever waits gives up soon.
using GiveUp = std::function<bool()>;

// A UDP socket bound to one of them, if one fits `to`; not connected.
absl::StatusOr<Socket> OpenDatagram(const zone::Address& to, const SourceAddresses& sources);
bool SendTo(const Socket& socket, const zone::Remote& remote, const std::string& message);
struct Datagram {
  std::string message;
  zone::Address from{};
  uint16_t port = 0;
};
// What has come; nullopt: nothing (any more).
std::optional<Datagram> Receive(const Socket& socket);

// DNS over TCP or TLS (XoT, RFC 9103: TLS 1.3, ALPN "dot"; who the server is TSIG says, not its certificate).
class Stream {
 public:
  static absl::StatusOr<std::unique_ptr<Stream>> Connect(const zone::Remote& remote,
                                                         const SourceAddresses& sources, const Clock& clock,
                                                         Duration timeout, GiveUp give_up);
  ~Stream();
  absl::Status Send(const std::string& message);
  // The next message; every one within the timeout.
  absl::StatusOr<std::string> Receive();

 private:
  Stream(Socket socket, const Clock& clock, Duration timeout, GiveUp give_up)
      : socket_(std::move(socket)), clock_(clock), timeout_(timeout), give_up_(std::move(give_up)) {}
  absl::Status StartTls();
  absl::Status Wait(short events, BootTime deadline);
  absl::Status ReadExactly(char* out, size_t size, BootTime deadline);
  absl::Status WriteAll(const char* data, size_t size, BootTime deadline);
  // What a call of OpenSSL waits for; OK: try again.
  absl::Status AfterSsl(int result, BootTime deadline);

  Socket socket_;
  const Clock& clock_;
  const Duration timeout_;
  const GiveUp give_up_;
  ssl_ctx_st* tls_context_ = nullptr;
  ssl_st* tls_ = nullptr;
};

// The answer to a query over UDP, asked `attempts` times; who is not asked, or sends another ID, is not
// heard.
absl::StatusOr<std::string> AskDatagram(const zone::Remote& remote, const SourceAddresses& sources,
                                        const std::string& query, const Clock& clock, Duration wait,
                                        int attempts, const GiveUp& give_up);

}  // namespace quorate::api::xfr

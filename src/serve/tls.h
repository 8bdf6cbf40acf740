// TLS for DNS over TLS (RFC 7858), with OpenSSL: the certificate, which may change while the server runs, and
// one connection's session.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "absl/status/statusor.h"

struct ssl_st;
struct ssl_ctx_st;

namespace quorate::serve {

// A certificate chain and its key, read from PEM files, and read again when these change.
class TlsCertificates {
 public:
  struct Files {
    std::string certificate, key;
  };
  // The error names the file and what is wrong with it. `notice` is told of later changes, by Poll's thread.
  static absl::StatusOr<std::unique_ptr<TlsCertificates>> Load(
      Files files, std::function<void(const std::string&)> notice);

  // Looks at the files, and once they are other ones than those in use, and have stayed the same since the
  // last look, takes these for new connections; if they are no good the old ones stay, with a notice. Every
  // second or so, by one thread.
  void Poll();
  // Any thread.
  std::shared_ptr<ssl_ctx_st> current() const;

 private:
  TlsCertificates(Files files, std::function<void(const std::string&)> notice);

  const Files files_;
  const std::function<void(const std::string&)> notice_;
  std::string used_, seen_;  // stamps: what was last tried, and what the last look saw. Poll's thread
  mutable std::mutex mu_;
  std::shared_ptr<ssl_ctx_st> context_;  // guarded by mu_
};

// The server's side of one connection. One thread; never blocks. The handshake is part of the first reads.
class TlsSession {
 public:
  TlsSession(const std::shared_ptr<ssl_ctx_st>& context, int fd);
  // Says goodbye, if the connection takes it.
  ~TlsSession();
  TlsSession(const TlsSession&) = delete;

  // As recv and send: octets; 0: the end (reading); -1: nothing now; -2: broken.
  long Read(uint8_t* to, size_t size);
  long Write(const char* from, size_t size);

  bool established() const;                          // the handshake is over
  bool HasBuffered() const;                          // octets that came and of which epoll does not tell
  bool wants_write() const { return wants_write_; }  // to go on reading

 private:
  long Outcome(int result);

  ssl_st* const ssl_;
  bool wants_write_ = false, broken_ = false;
};

}  // namespace quorate::serve

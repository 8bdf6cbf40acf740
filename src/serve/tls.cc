#include "serve/tls.h"

#include <fmt/format.h>
#include <openssl/bio.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/stat.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>

#include "base/check.h"
#include "base/status_macros.h"

namespace quorate::serve {
namespace {

std::string LastError() {
  char text[256] = "unknown error";
  if (const unsigned long code = ERR_peek_last_error(); code != 0)
    ERR_error_string_n(code, text, sizeof text);
  ERR_clear_error();
  return text;
}

// RFC 9325 3.8: what is offered and is not "dot" is meant for somebody else.
int SelectProtocol(SSL*, const unsigned char** out, unsigned char* out_size, const unsigned char* offered,
                   unsigned int size, void*) {
  static constexpr unsigned char kDot[] = {3, 'd', 'o', 't'};
  unsigned char* chosen = nullptr;
  if (SSL_select_next_proto(&chosen, out_size, kDot, sizeof kDot, offered, size) != OPENSSL_NPN_NEGOTIATED)
    return SSL_TLSEXT_ERR_ALERT_FATAL;
  *out = chosen;
  return SSL_TLSEXT_ERR_OK;
}

absl::StatusOr<std::shared_ptr<SSL_CTX>> MakeContext(const TlsCertificates::Files& files) {
  ERR_clear_error();
  std::shared_ptr<SSL_CTX> context(SSL_CTX_new(TLS_server_method()), SSL_CTX_free);
  if (!context) return absl::InternalError("no TLS: " + LastError());
  SSL_CTX_set_min_proto_version(context.get(), TLS1_2_VERSION);
  SSL_CTX_set_options(context.get(), SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION);
  SSL_CTX_set_mode(context.get(), SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER |
                                      SSL_MODE_RELEASE_BUFFERS);
  SSL_CTX_set_alpn_select_cb(context.get(), SelectProtocol, nullptr);
  const auto bad = [](const std::string& file, const char* what) {
    return absl::InvalidArgumentError(fmt::format("{}: {} ({})", file, what, LastError()));
  };
  if (SSL_CTX_use_certificate_chain_file(context.get(), files.certificate.c_str()) != 1)
    return bad(files.certificate, "no PEM certificate chain can be read from it");
  if (SSL_CTX_use_PrivateKey_file(context.get(), files.key.c_str(), SSL_FILETYPE_PEM) != 1)
    return bad(files.key, "no PEM private key of that certificate can be read from it");
  if (SSL_CTX_check_private_key(context.get()) != 1)
    return bad(files.key, "this is not the key of the certificate");
  return context;
}

std::string StampOf(const std::string& file) {
  struct stat s {};
  if (stat(file.c_str(), &s) != 0) return "none";
  return fmt::format("{}.{} {} {}", s.st_mtim.tv_sec, s.st_mtim.tv_nsec, s.st_size, s.st_ino);
}
std::string StampOf(const TlsCertificates::Files& files) {
  return StampOf(files.certificate) + "; " + StampOf(files.key);
}

// OpenSSL's own would raise SIGPIPE.
int SocketWrite(BIO* bio, const char* data, int size) {
  const int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  const ssize_t n = send(fd, data, static_cast<size_t>(size), MSG_DONTWAIT | MSG_NOSIGNAL);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_write(bio);
  return static_cast<int>(n);
}
int SocketRead(BIO* bio, char* data, int size) {
  const int fd = static_cast<int>(reinterpret_cast<intptr_t>(BIO_get_data(bio)));
  const ssize_t n = recv(fd, data, static_cast<size_t>(size), MSG_DONTWAIT);
  BIO_clear_retry_flags(bio);
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR)) BIO_set_retry_read(bio);
  if (n == 0) BIO_set_flags(bio, BIO_FLAGS_IN_EOF);
  return static_cast<int>(n);
}
long SocketControl(BIO* bio, int command, long, void*) {
  if (command == BIO_CTRL_EOF) return BIO_test_flags(bio, BIO_FLAGS_IN_EOF) != 0 ? 1 : 0;
  return command == BIO_CTRL_FLUSH ? 1 : 0;
}

BIO_METHOD* SocketMethod() {
  static BIO_METHOD* const method = [] {
    BIO_METHOD* made = BIO_meth_new(BIO_get_new_index() | BIO_TYPE_SOURCE_SINK, "socket without signals");
    CHECK(made != nullptr);
    BIO_meth_set_write(made, SocketWrite);
    BIO_meth_set_read(made, SocketRead);
    BIO_meth_set_ctrl(made, SocketControl);
    return made;
  }();
  return method;
}

}  // namespace

TlsCertificates::TlsCertificates(Files files, std::function<void(const std::string&)> notice)
    : files_(std::move(files)), notice_(std::move(notice)), used_(StampOf(files_)), seen_(used_) {}

absl::StatusOr<std::unique_ptr<TlsCertificates>> TlsCertificates::Load(
    Files files, std::function<void(const std::string&)> notice) {
  std::unique_ptr<TlsCertificates> out(new TlsCertificates(std::move(files), std::move(notice)));
  ASSIGN_OR_RETURN(out->context_, MakeContext(out->files_));
  return out;
}

void TlsCertificates::Poll() {
  const std::string now = StampOf(files_);
  const bool settled = now == std::exchange(seen_, now);
  if (!settled || now == used_) return;
  used_ = now;
  auto made = MakeContext(files_);
  if (!made.ok())
    return notice_(fmt::format("the certificate for DNS over TLS changed, and stays the old one: {}",
                               MessageOf(made.status())));
  {
    std::lock_guard lock(mu_);
    context_ = *std::move(made);
  }
  notice_(fmt::format("DNS over TLS: new connections get the changed certificate of {}", files_.certificate));
}

std::shared_ptr<SSL_CTX> TlsCertificates::current() const {
  std::lock_guard lock(mu_);
  return context_;
}

TlsSession::TlsSession(const std::shared_ptr<SSL_CTX>& context, int fd) : ssl_(SSL_new(context.get())) {
  CHECK(ssl_ != nullptr);
  BIO* bio = BIO_new(SocketMethod());
  CHECK(bio != nullptr);
  BIO_set_data(bio, reinterpret_cast<void*>(static_cast<intptr_t>(fd)));
  BIO_set_init(bio, 1);
  SSL_set_bio(ssl_, bio, bio);
  SSL_set_accept_state(ssl_);
}

TlsSession::~TlsSession() {
  if (established() && !broken_) SSL_shutdown(ssl_);
  ERR_clear_error();
  SSL_free(ssl_);
}

long TlsSession::Outcome(int result) {
  if (result > 0) return result;
  const int error = SSL_get_error(ssl_, result);
  if (error == SSL_ERROR_WANT_READ) return -1;
  if (error == SSL_ERROR_WANT_WRITE) return wants_write_ = true, -1;
  if (error == SSL_ERROR_ZERO_RETURN) return 0;
  broken_ = true;
  return -2;
}

long TlsSession::Read(uint8_t* to, size_t size) {
  ERR_clear_error();
  wants_write_ = false;
  return Outcome(SSL_read(ssl_, to, static_cast<int>(std::min<size_t>(size, INT_MAX))));
}

long TlsSession::Write(const char* from, size_t size) {
  ERR_clear_error();
  const long n = Outcome(SSL_write(ssl_, from, static_cast<int>(std::min<size_t>(size, INT_MAX))));
  wants_write_ = false;  // whoever has something to write waits for that anyway
  return n == 0 ? -2 : n;
}

bool TlsSession::established() const { return SSL_is_init_finished(ssl_) != 0; }
bool TlsSession::HasBuffered() const { return SSL_pending(ssl_) > 0; }

}  // namespace quorate::serve

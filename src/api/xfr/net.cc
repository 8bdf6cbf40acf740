#include "api/xfr/net.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>

#include "base/status_macros.h"

namespace quorate::api::xfr {
namespace {

union Sockaddr {
  sockaddr any;
  sockaddr_in v4;
  sockaddr_in6 v6;
};

socklen_t ToSockaddr(const zone::Address& address, uint16_t port, Sockaddr& out) {
  std::memset(&out, 0, sizeof out);
  if (zone::IsIpv4(address)) {
    out.v4.sin_family = AF_INET;
    out.v4.sin_port = htons(port);
    std::memcpy(&out.v4.sin_addr, address.data() + 12, 4);
    return sizeof out.v4;
  }
  out.v6.sin6_family = AF_INET6;
  out.v6.sin6_port = htons(port);
  std::memcpy(&out.v6.sin6_addr, address.data(), 16);
  return sizeof out.v6;
}

bool IsLoopback(const zone::Address& address) {
  if (zone::IsIpv4(address)) return address[12] == 127;
  zone::Address one{};
  one[15] = 1;
  return address == one;
}

absl::Status Errno(const char* what) {
  return absl::UnavailableError(fmt::format("{}: {}", what, std::strerror(errno)));
}

// How long to sleep, so that giving up is noticed.
int SliceOf(Duration left) {
  const auto slice = std::min<Duration>(left, std::chrono::milliseconds(200));
  return static_cast<int>(std::chrono::duration_cast<std::chrono::milliseconds>(slice).count() + 1);
}

absl::StatusOr<Socket> Open(const zone::Address& to, const SourceAddresses& sources, int type) {
  Socket socket(::socket(zone::IsIpv4(to) ? AF_INET : AF_INET6, type | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!socket) return Errno("socket");
  for (const zone::Address& source : sources) {
    if (zone::IsIpv4(source) != zone::IsIpv4(to) || IsLoopback(source) != IsLoopback(to)) continue;
    Sockaddr address;
    const socklen_t size = ToSockaddr(source, 0, address);
    if (bind(socket.get(), &address.any, size) == 0) break;
  }
  return socket;
}

}  // namespace

Socket::Socket(Socket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
Socket& Socket::operator=(Socket&& other) noexcept {
  std::swap(fd_, other.fd_);
  return *this;
}
Socket::~Socket() {
  if (fd_ >= 0) close(fd_);
}

absl::StatusOr<Socket> OpenDatagram(const zone::Address& to, const SourceAddresses& sources) {
  return Open(to, sources, SOCK_DGRAM);
}

bool SendTo(const Socket& socket, const zone::Remote& remote, const std::string& message) {
  Sockaddr address;
  const socklen_t size = ToSockaddr(remote.address, remote.port, address);
  return sendto(socket.get(), message.data(), message.size(), MSG_NOSIGNAL, &address.any, size) ==
         static_cast<ssize_t>(message.size());
}

std::optional<Datagram> Receive(const Socket& socket) {
  Datagram datagram;
  datagram.message.resize(65535);
  Sockaddr address;
  socklen_t size = sizeof address;
  const ssize_t got =
      recvfrom(socket.get(), datagram.message.data(), datagram.message.size(), 0, &address.any, &size);
  if (got < 0) return std::nullopt;
  datagram.message.resize(static_cast<size_t>(got));
  if (address.any.sa_family == AF_INET) {
    uint8_t octets[4];
    std::memcpy(octets, &address.v4.sin_addr, 4);
    datagram.from = zone::MapIpv4(octets);
    datagram.port = ntohs(address.v4.sin_port);
  } else {
    std::memcpy(datagram.from.data(), &address.v6.sin6_addr, 16);
    datagram.port = ntohs(address.v6.sin6_port);
  }
  return datagram;
}

absl::StatusOr<std::unique_ptr<Stream>> Stream::Connect(const zone::Remote& remote,
                                                        const SourceAddresses& sources, const Clock& clock,
                                                        Duration timeout, GiveUp give_up) {
  ASSIGN_OR_RETURN(Socket socket, Open(remote.address, sources, SOCK_STREAM));
  auto stream = std::unique_ptr<Stream>(new Stream(std::move(socket), clock, timeout, std::move(give_up)));
  Sockaddr address;
  const socklen_t size = ToSockaddr(remote.address, remote.port, address);
  if (connect(stream->socket_.get(), &address.any, size) != 0) {
    if (errno != EINPROGRESS) return Errno("connect");
    RETURN_IF_ERROR(stream->Wait(POLLOUT, clock.Boot() + timeout));
    int error = 0;
    socklen_t error_size = sizeof error;
    getsockopt(stream->socket_.get(), SOL_SOCKET, SO_ERROR, &error, &error_size);
    errno = error;
    if (error != 0) return Errno("connect");
  }
  if (remote.tls) RETURN_IF_ERROR(stream->StartTls());
  return stream;
}

Stream::~Stream() {
  if (tls_ != nullptr) SSL_shutdown(tls_);
  SSL_free(tls_);
  SSL_CTX_free(tls_context_);
}

absl::Status Stream::StartTls() {
  static constexpr unsigned char kAlpn[] = {3, 'd', 'o', 't'};
  tls_context_ = SSL_CTX_new(TLS_client_method());
  if (tls_context_ == nullptr) return absl::InternalError("TLS is not to be had");
  SSL_CTX_set_min_proto_version(tls_context_, TLS1_3_VERSION);  // RFC 9103 7.1
  SSL_CTX_set_alpn_protos(tls_context_, kAlpn, sizeof kAlpn);
  tls_ = SSL_new(tls_context_);
  if (tls_ == nullptr || SSL_set_fd(tls_, socket_.get()) != 1)
    return absl::InternalError("TLS is not to be had");
  const BootTime deadline = clock_.Boot() + timeout_;
  for (int result = SSL_connect(tls_); result != 1; result = SSL_connect(tls_))
    RETURN_IF_ERROR(AfterSsl(result, deadline));
  const unsigned char* chosen = nullptr;
  unsigned int size = 0;
  SSL_get0_alpn_selected(tls_, &chosen, &size);
  if (size != 0 && std::string_view(reinterpret_cast<const char*>(chosen), size) != "dot")
    return absl::UnavailableError("the server speaks another protocol over TLS than DNS");
  return absl::OkStatus();
}

absl::Status Stream::AfterSsl(int result, BootTime deadline) {
  switch (SSL_get_error(tls_, result)) {
    case SSL_ERROR_WANT_READ:
      return Wait(POLLIN, deadline);
    case SSL_ERROR_WANT_WRITE:
      return Wait(POLLOUT, deadline);
    case SSL_ERROR_ZERO_RETURN:
      return absl::UnavailableError("the connection was closed");
    default: {
      char text[256] = "the connection was closed";
      if (const unsigned long error = ERR_get_error(); error != 0)
        ERR_error_string_n(error, text, sizeof text);
      ERR_clear_error();
      return absl::UnavailableError(fmt::format("TLS: {}", text));
    }
  }
}

absl::Status Stream::Wait(short events, BootTime deadline) {
  for (;;) {
    const Duration left = deadline - clock_.Boot();
    if (left <= Duration(0)) return absl::DeadlineExceededError("no answer in time");
    if (give_up_()) return absl::CancelledError("this replica leads no more");
    pollfd fd{.fd = socket_.get(), .events = events, .revents = 0};
    const int ready = poll(&fd, 1, SliceOf(left));
    if (ready > 0) return absl::OkStatus();
    if (ready < 0 && errno != EINTR) return Errno("poll");
  }
}

absl::Status Stream::ReadExactly(char* out, size_t size, BootTime deadline) {
  while (size > 0) {
    ssize_t got;
    if (tls_ != nullptr) {
      got = SSL_read(tls_, out, static_cast<int>(size));
      if (got <= 0) {
        RETURN_IF_ERROR(AfterSsl(static_cast<int>(got), deadline));
        continue;
      }
    } else {
      got = recv(socket_.get(), out, size, 0);
      if (got == 0) return absl::UnavailableError("the connection was closed");
      if (got < 0) {
        if (errno != EAGAIN && errno != EINTR) return Errno("recv");
        RETURN_IF_ERROR(Wait(POLLIN, deadline));
        continue;
      }
    }
    out += got;
    size -= static_cast<size_t>(got);
  }
  return absl::OkStatus();
}

absl::Status Stream::WriteAll(const char* data, size_t size, BootTime deadline) {
  while (size > 0) {
    ssize_t put;
    if (tls_ != nullptr) {
      put = SSL_write(tls_, data, static_cast<int>(size));
      if (put <= 0) {
        RETURN_IF_ERROR(AfterSsl(static_cast<int>(put), deadline));
        continue;
      }
    } else {
      put = send(socket_.get(), data, size, MSG_NOSIGNAL);
      if (put < 0) {
        if (errno != EAGAIN && errno != EINTR) return Errno("send");
        RETURN_IF_ERROR(Wait(POLLOUT, deadline));
        continue;
      }
    }
    data += put;
    size -= static_cast<size_t>(put);
  }
  return absl::OkStatus();
}

absl::Status Stream::Send(const std::string& message) {
  std::string framed{static_cast<char>(message.size() >> 8), static_cast<char>(message.size())};
  framed += message;
  return WriteAll(framed.data(), framed.size(), clock_.Boot() + timeout_);
}

absl::StatusOr<std::string> Stream::Receive() {
  const BootTime deadline = clock_.Boot() + timeout_;
  unsigned char length[2];
  RETURN_IF_ERROR(ReadExactly(reinterpret_cast<char*>(length), sizeof length, deadline));
  std::string message(static_cast<size_t>(length[0] << 8 | length[1]), '\0');
  RETURN_IF_ERROR(ReadExactly(message.data(), message.size(), deadline));
  return message;
}

absl::StatusOr<std::string> AskDatagram(const zone::Remote& remote, const SourceAddresses& sources,
                                        const std::string& query, const Clock& clock, Duration wait,
                                        int attempts, const GiveUp& give_up) {
  ASSIGN_OR_RETURN(const Socket socket, OpenDatagram(remote.address, sources));
  for (int attempt = 0; attempt < attempts; ++attempt) {
    if (!SendTo(socket, remote, query)) return Errno("sendto");
    const BootTime deadline = clock.Boot() + wait;
    for (Duration left = wait; left > Duration(0); left = deadline - clock.Boot()) {
      if (give_up()) return absl::CancelledError("this replica leads no more");
      pollfd fd{.fd = socket.get(), .events = POLLIN, .revents = 0};
      poll(&fd, 1, SliceOf(left));
      while (auto datagram = Receive(socket)) {
        const bool right = datagram->from == remote.address && datagram->port == remote.port &&
                           datagram->message.size() >= 12 &&
                           query.compare(0, 2, datagram->message, 0, 2) == 0;
        if (right) return std::move(datagram->message);
      }
    }
  }
  return absl::DeadlineExceededError("no answer over UDP");
}

}  // namespace quorate::api::xfr

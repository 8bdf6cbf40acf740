#include "serve/sockets.h"

#include <fmt/format.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <sys/socket.h>

#include <cerrno>
#include <cstring>

#include "base/status_macros.h"

namespace quorate::serve {
namespace {

constexpr int kListenBacklog = 512;
constexpr int kSocketBufferBytes = 4 << 20;  // the kernel gives what net.core.[rw]mem_max allows

std::string_view KindText(SocketKind kind) { return kind == SocketKind::kUdp ? "udp" : "tcp"; }

std::string Advice(SocketKind kind, const SocketAddress& address, int error) {
  switch (error) {
    case EADDRINUSE:
      return fmt::format(
          "another program uses it: find it with `ss -{}lnp 'sport = :{}'` and stop it, or listen on "
          "another address",
          kind == SocketKind::kUdp ? 'u' : 't', address.port());
    case EADDRNOTAVAIL:
      return "no interface of this machine has this address";
    case EACCES:
      return "ports below 1024 need root or CAP_NET_BIND_SERVICE";
    default:
      return "check the address and the system's limits";
  }
}

absl::Status Failed(SocketKind kind, const SocketAddress& address, int error) {
  const std::string what = fmt::format("cannot listen on {}/{}: {}; {}", address.ToText(), KindText(kind),
                                       std::strerror(error), Advice(kind, address, error));
  if (error == EADDRINUSE) return absl::AlreadyExistsError(what);
  if (error == EACCES) return absl::PermissionDeniedError(what);
  return absl::UnavailableError(what);
}

void Set(int fd, int level, int option, int value) { setsockopt(fd, level, option, &value, sizeof value); }

// Options whose failure costs speed or tidiness, never correctness, are not checked.
void Tune(SocketKind kind, int family, int fd) {
  if (kind == SocketKind::kTcp) {
    Set(fd, IPPROTO_TCP, TCP_NODELAY, 1);
    return;
  }
  Set(fd, SOL_SOCKET, SO_RCVBUF, kSocketBufferBytes);
  Set(fd, SOL_SOCKET, SO_SNDBUF, kSocketBufferBytes);
  // A forged ICMP must not make us send fragments (RFC 9715 3.1).
  if (family == AF_INET) Set(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_OMIT);
  if (family == AF_INET6) Set(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_OMIT);
}

absl::StatusOr<UniqueFd> Open(SocketKind kind, const SocketAddress& address, bool shared) {
  const int type = kind == SocketKind::kUdp ? SOCK_DGRAM : SOCK_STREAM | SOCK_NONBLOCK;
  UniqueFd fd(socket(address.family(), type | SOCK_CLOEXEC, 0));
  if (!fd) return Failed(kind, address, errno);
  // A restarted server must not wait for the old connections' TIME_WAIT.
  if (kind == SocketKind::kTcp) Set(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (address.family() == AF_INET6) Set(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (shared) Set(fd.get(), SOL_SOCKET, SO_REUSEPORT, 1);
  Tune(kind, address.family(), fd.get());
  if (bind(fd.get(), address.get(), address.size()) != 0) return Failed(kind, address, errno);
  return fd;
}

absl::Status CheckNobodyHas(SocketKind kind, const SocketAddress& address) {
  ASSIGN_OR_RETURN(const UniqueFd probe, Open(kind, address, false));
  return absl::OkStatus();
}

absl::StatusOr<std::vector<UniqueFd>> OpenShared(SocketKind kind, SocketAddress address, size_t count) {
  if (address.port() != 0) RETURN_IF_ERROR(CheckNobodyHas(kind, address));
  std::vector<UniqueFd> fds;
  for (size_t i = 0; i < count; ++i) {
    ASSIGN_OR_RETURN(UniqueFd fd, Open(kind, address, true));
    if (kind == SocketKind::kTcp && listen(fd.get(), kListenBacklog) != 0)
      return Failed(kind, address, errno);
    address = BoundAddress(fd.get());
    fds.push_back(std::move(fd));
  }
  return fds;
}

}  // namespace

absl::StatusOr<std::vector<std::vector<UniqueFd>>> OpenSockets(SocketKind kind,
                                                               const std::vector<SocketAddress>& addresses,
                                                               size_t count) {
  std::vector<std::vector<UniqueFd>> out;
  for (const SocketAddress& address : addresses) {
    ASSIGN_OR_RETURN(std::vector<UniqueFd> fds, OpenShared(kind, address, count));
    out.push_back(std::move(fds));
  }
  return out;
}

SocketAddress BoundAddress(int fd) {
  sockaddr_storage storage{};
  socklen_t length = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &length);
  return SocketAddress::FromSockaddr(reinterpret_cast<const sockaddr*>(&storage), length);
}

}  // namespace quorate::serve

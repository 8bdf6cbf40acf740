// NetworkExchange: one query over UDP, and over TCP where it must be.
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>

#include <cerrno>
#include <chrono>
#include <cstring>
#include <random>

#include "cli/resolver.h"
#include "serve/unique_fd.h"
#include "wire/framing.h"

namespace quorate::cli {
namespace {

using Clock = std::chrono::steady_clock;

std::string SystemError(std::string_view what) { return fmt::format("{}: {}", what, std::strerror(errno)); }

wire::Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

bool WaitFor(int fd, short events, Clock::time_point deadline) {
  pollfd p{.fd = fd, .events = events};
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - Clock::now()).count();
  return left > 0 && poll(&p, 1, static_cast<int>(left)) == 1;
}

bool BelongsTo(const wire::Message& response, const wire::Message& query) {
  if (!response.response || response.id != query.id) return false;
  // A server that could not read the question need not repeat it.
  if (response.questions.empty()) return response.rcode != dns::Rcode::kNoError;
  return response.questions == query.questions;
}

Result<wire::Message, std::string> OverUdp(const serve::SocketAddress& server, const wire::Message& query,
                                           const std::string& bytes, Clock::time_point deadline) {
  const serve::UniqueFd fd(socket(server.family(), SOCK_DGRAM | SOCK_CLOEXEC, 0));
  if (!fd || connect(fd.get(), server.get(), server.size()) != 0) return SystemError("cannot reach it");
  if (send(fd.get(), bytes.data(), bytes.size(), 0) < 0) return SystemError("cannot send");
  std::string buffer(65535, '\0');
  while (WaitFor(fd.get(), POLLIN, deadline)) {
    const ssize_t n = recv(fd.get(), buffer.data(), buffer.size(), 0);
    if (n < 0) return SystemError("no answer");
    auto response = wire::ParseMessage(AsBytes(std::string_view(buffer).substr(0, static_cast<size_t>(n))));
    if (response.ok() && BelongsTo(*response, query)) return *std::move(response);
  }
  return std::string("no answer in time");
}

std::optional<std::string> ConnectBy(int fd, const serve::SocketAddress& server, Clock::time_point deadline) {
  if (connect(fd, server.get(), server.size()) == 0) return std::nullopt;
  if (errno != EINPROGRESS) return SystemError("cannot connect (tcp)");
  if (!WaitFor(fd, POLLOUT, deadline)) return std::string("cannot connect in time (tcp)");
  int fault = 0;
  socklen_t size = sizeof fault;
  getsockopt(fd, SOL_SOCKET, SO_ERROR, &fault, &size);
  if (fault != 0) return fmt::format("cannot connect (tcp): {}", std::strerror(fault));
  return std::nullopt;
}

Result<wire::Message, std::string> OverTcp(const serve::SocketAddress& server, const wire::Message& query,
                                           const std::string& bytes, Clock::time_point deadline) {
  const serve::UniqueFd fd(socket(server.family(), SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
  if (!fd) return SystemError("cannot reach it");
  if (auto fault = ConnectBy(fd.get(), server, deadline)) return *fault;
  const std::string frame =
      std::string{static_cast<char>(bytes.size() >> 8), static_cast<char>(bytes.size())} + bytes;
  // A query is far smaller than a new connection's buffer.
  if (send(fd.get(), frame.data(), frame.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(frame.size()))
    return SystemError("cannot send (tcp)");
  std::string received;
  while (WaitFor(fd.get(), POLLIN, deadline)) {
    char chunk[4096];
    const ssize_t n = recv(fd.get(), chunk, sizeof chunk, 0);
    if (n <= 0) return std::string("the connection ended before the answer (tcp)");
    received.append(chunk, static_cast<size_t>(n));
    const auto message = wire::FirstFrame(AsBytes(received));
    if (!message) continue;
    auto response = wire::ParseMessage(*message);
    if (!response.ok()) return std::string(wire::FaultText(response.error().fault));
    if (!BelongsTo(*response, query)) return std::string("an answer to something else (tcp)");
    return *std::move(response);
  }
  return std::string("no answer in time (tcp)");
}

}  // namespace

Exchange NetworkExchange(Duration timeout) {
  return [timeout](const serve::SocketAddress& server, const wire::Message& wanted) {
    wire::Message query = wanted;
    query.id = static_cast<uint16_t>(std::random_device()());
    const auto bytes = wire::EncodeMessage(query);
    if (!bytes.ok()) return Result<wire::Message, std::string>(std::string("the question does not fit"));
    auto response = OverUdp(server, query, *bytes, Clock::now() + timeout);
    if (response.ok() && response->tc) return OverTcp(server, query, *bytes, Clock::now() + timeout);
    return response;
  };
}

}  // namespace quorate::cli

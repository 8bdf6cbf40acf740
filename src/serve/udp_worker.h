// One thread of the UDP server.
#pragma once

#include <array>
#include <memory>
#include <thread>
#include <vector>

#include "serve/counters.h"
#include "serve/held_queries.h"
#include "serve/slow_mailbox.h"
#include "serve/unique_fd.h"
#include "serve/wakeup.h"
#include "serve/worker_options.h"

namespace quorate::serve {

// Datagrams of one recvmmsg, and room for as many answers in one sendmmsg.
class UdpBatch;

class UdpWorker {
 public:
  UdpWorker(std::vector<UniqueFd> sockets, const ServerOptions& options, DataSource source);
  ~UdpWorker();

  Counters ReadCounters() const { return counters_.Read(); }

 private:
  void Run(std::stop_token stop);
  int WaitMillis() const;
  void Receive(size_t socket);
  void Hold(const HeldQuery& held, wire::Bytes query);
  void ResumeHeld();
  // Hands it to the slow door, or answers that there are too many.
  void AskSlowDoor(const Request& request, wire::Bytes message, size_t socket, const SocketAddress& peer);
  void SendSlowAnswers();
  // Where to write an answer that will go out by `socket`; then Send, before the next AnswerSpace.
  std::span<uint8_t> AnswerSpace(size_t socket);
  void Send(const SocketAddress& peer, size_t size);
  // The same, as far as rate limits allow.
  void SendLimited(const Request& request, const SocketAddress& peer, size_t size);
  void Flush();

  const std::vector<UniqueFd> sockets_;
  const DataSource source_;
  RespondConfig config_;
  WorkerCounters counters_;
  HeldQueries held_;
  BootTime next_deadline_;  // of those held
  const std::shared_ptr<SlowMailbox> mailbox_ = std::make_shared<SlowMailbox>();
  size_t slow_requests_ = 0;  // under way
  const std::unique_ptr<UdpBatch> batch_;
  const Wakeup wakeup_;
  UniqueFd epoll_;
  ReadPath path_;
  RateLimiter limiter_;
  BootTime now_;         // for it, when it is enabled
  std::jthread thread_;  // last: starts when all else stands, and is joined first
};

}  // namespace quorate::serve

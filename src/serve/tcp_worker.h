// One thread of the TCP server.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "serve/counters.h"
#include "serve/read_path.h"
#include "serve/slow_mailbox.h"
#include "serve/tcp_connection.h"
#include "serve/unique_fd.h"
#include "serve/wakeup.h"
#include "serve/worker_options.h"

namespace quorate::serve {

class TcpWorker {
 public:
  TcpWorker(std::vector<UniqueFd> listeners, const ServerOptions& options, DataSource source);
  ~TcpWorker();

  Counters ReadCounters() const { return counters_.Read(); }

 private:
  // A connection that has queries that wait; it may have gone since.
  struct Waiting {
    size_t slot;
    uint32_t generation;
  };

  void Run(std::stop_token stop);
  int WaitMillis() const;
  void Accept(int listener);
  void Admit(UniqueFd fd, const SocketAddress& peer);
  // Of all, or of those from one address. False: each of them awaits something from us.
  bool CloseLongestIdle(const std::optional<zone::Address>& of = std::nullopt);
  size_t ConnectionsOf(const zone::Address& client) const;
  void OnEvent(size_t slot, uint32_t generation, uint32_t events);
  // Answers what is there as far as the gate allows, sends, and says to epoll what is awaited next.
  void Advance(size_t slot);
  void Answer(TcpConnection& connection, size_t slot);
  void AnswerHeld(TcpConnection& connection);
  // False: `query` must wait.
  bool AnswerNew(TcpConnection& connection, size_t slot, wire::Bytes query, Wait& wait);
  void AskSlowDoor(TcpConnection& connection, size_t slot, const Request& request, wire::Bytes query);
  void Queue(TcpConnection& connection, size_t size);
  bool Write(TcpConnection& connection);  // false: broken
  void TakeLetters();
  Asker AskerAt(const TcpConnection& connection) const;
  void ResumeHeld();
  void CloseIdle(BootTime now);
  void Close(size_t slot);
  TcpConnection* Find(size_t slot, uint32_t generation);
  void Watch(int operation, int fd, uint64_t tag, uint32_t events);

  const std::vector<UniqueFd> listeners_;
  const Duration idle_;
  const size_t per_client_;
  TlsCertificates* const tls_;  // null: plain TCP
  const DataSource source_;
  RespondConfig config_;
  WorkerCounters counters_;
  const std::unique_ptr<uint8_t[]> answer_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;  // by slot
  std::vector<size_t> free_slots_;
  std::vector<Waiting> waiting_, resuming_;  // each connection once
  BootTime next_deadline_;                   // of what waits
  const std::shared_ptr<SlowMailbox> mailbox_ = std::make_shared<SlowMailbox>();
  size_t slow_requests_ = 0;  // at the slow door or being sent
  uint32_t next_generation_ = 0;
  BootTime next_sweep_;
  const Wakeup wakeup_;
  UniqueFd epoll_;
  ReadPath path_;
  std::jthread thread_;  // last: starts when all else stands, and is joined first
};

}  // namespace quorate::serve

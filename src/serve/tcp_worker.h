// One thread of the TCP server.
#pragma once

#include <deque>
#include <memory>
#include <thread>
#include <vector>

#include "serve/counters.h"
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
  // A connection whose first query waits; the connection may have gone since.
  struct Held {
    size_t slot;
    uint32_t generation;
    uint64_t ticket;
    BootTime deadline;
  };

  void Run(std::stop_token stop);
  int WaitMillis() const;
  void Accept(int listener);
  bool CloseLongestIdle();
  void OnEvent(size_t slot, uint32_t generation, uint32_t events);
  // Answers what is there as far as the gate allows, sends, and says to epoll what is awaited next.
  void Advance(size_t slot);
  void AnswerAllowed(size_t slot);
  template <class RespondTo>
  void AnswerAll(TcpConnection& connection, RespondTo respond_to);
  void Hold(size_t slot);
  void AnswerHeld();
  void CloseIdle(BootTime now);
  void Close(size_t slot);
  TcpConnection* Find(size_t slot, uint32_t generation);
  void Watch(int operation, int fd, uint64_t tag, uint32_t events);

  const std::vector<UniqueFd> listeners_;
  const Duration hold_budget_, idle_;
  const DataSource source_;
  RespondConfig config_;
  ViewHub<zone::View>::Reader view_;
  WorkerCounters counters_;
  const std::unique_ptr<uint8_t[]> answer_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;  // by slot
  std::vector<size_t> free_slots_;
  std::deque<Held> held_;  // in order of ticket and deadline; at most one for each connection
  uint32_t next_generation_ = 0;
  BootTime next_sweep_;
  const Wakeup wakeup_;
  UniqueFd epoll_;
  uint64_t subscription_ = 0;
  std::jthread thread_;  // last: starts when all else stands, and is joined first
};

}  // namespace quorate::serve

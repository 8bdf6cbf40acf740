// One thread of the TCP server.
#pragma once

#include <memory>
#include <thread>
#include <vector>

#include "serve/counters.h"
#include "serve/read_path.h"
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
  // A connection whose first query waits; the connection may have gone since. Nothing more is read from it:
  // all its queries came before the look at which the wait began.
  struct Held {
    size_t slot;
    uint32_t generation;
    Wait wait;
  };

  void Run(std::stop_token stop);
  int WaitMillis() const;
  void Accept(int listener);
  bool CloseLongestIdle();
  void OnEvent(size_t slot, uint32_t generation, uint32_t events);
  // Answers what is there as far as the gate allows, sends, and says to epoll what is awaited next.
  void Advance(size_t slot);
  void AnswerAllowed(size_t slot);
  // False: the first query that is left must wait.
  template <class RespondTo>
  bool AnswerAll(TcpConnection& connection, RespondTo respond_to);
  void Hold(size_t slot, const Wait& wait);
  void ResumeHeld();
  void CloseIdle(BootTime now);
  void Close(size_t slot);
  TcpConnection* Find(size_t slot, uint32_t generation);
  void Watch(int operation, int fd, uint64_t tag, uint32_t events);

  const std::vector<UniqueFd> listeners_;
  const Duration idle_;
  const DataSource source_;
  RespondConfig config_;
  WorkerCounters counters_;
  const std::unique_ptr<uint8_t[]> answer_;
  std::vector<std::unique_ptr<TcpConnection>> connections_;  // by slot
  std::vector<size_t> free_slots_;
  std::vector<Held> held_, resuming_;  // at most one for each connection that is there
  uint32_t next_generation_ = 0;
  BootTime next_sweep_;
  const Wakeup wakeup_;
  UniqueFd epoll_;
  ReadPath path_;
  std::jthread thread_;  // last: starts when all else stands, and is joined first
};

}  // namespace quorate::serve

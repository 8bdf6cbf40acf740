#include "serve/tcp_worker.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "wire/writer.h"

namespace quorate::serve {
namespace {

constexpr uint32_t kNotAConnection = ~uint32_t{0};  // in the upper half of a tag
constexpr uint64_t kWakeupTag = ~uint64_t{0};
constexpr size_t kAcceptsPerWakeup = 64;

uint64_t ConnectionTag(size_t slot, uint32_t generation) { return uint64_t{generation} << 32 | slot; }
uint64_t ListenerTag(size_t i) { return uint64_t{kNotAConnection} << 32 | i; }

}  // namespace

TcpWorker::TcpWorker(std::vector<UniqueFd> listeners, const ServerOptions& options, DataSource source)
    : listeners_(std::move(listeners)),
      idle_(options.tcp_idle),
      source_(source),
      config_(options.respond),
      answer_(new uint8_t[wire::kMessageBytesMax]),
      connections_(limits::kTcpConnectionsMax),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      path_(source_, Transport::kTcp, config_, options.hold_budget, counters_, [this] { wakeup_.Signal(); }) {
  if (!epoll_) FailStop("cannot make an epoll instance: the limit on open files is too low (ulimit -n)");
  for (size_t slot = connections_.size(); slot-- > 0;) free_slots_.push_back(slot);
  for (size_t i = 0; i < listeners_.size(); ++i)
    Watch(EPOLL_CTL_ADD, listeners_[i].get(), ListenerTag(i), EPOLLIN);
  Watch(EPOLL_CTL_ADD, wakeup_.fd(), kWakeupTag, EPOLLIN);
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

TcpWorker::~TcpWorker() {
  thread_.request_stop();
  wakeup_.Signal();
  thread_.join();
}

void TcpWorker::Watch(int operation, int fd, uint64_t tag, uint32_t events) {
  epoll_event event{.events = events, .data = {.u64 = tag}};
  CHECK_EQ(epoll_ctl(epoll_.get(), operation, fd, &event), 0);
}

void TcpWorker::Run(std::stop_token stop) {
  epoll_event events[64];
  while (!stop.stop_requested()) {
    const int count = epoll_wait(epoll_.get(), events, std::size(events), WaitMillis());
    config_.health = source_.health.load(std::memory_order_relaxed);
    for (int i = 0; i < count; ++i) {
      const uint64_t tag = events[i].data.u64;
      if (tag == kWakeupTag) {
        wakeup_.Clear();
      } else if (tag >> 32 == kNotAConnection) {
        Accept(listeners_[tag & 0xffffffff].get());
      } else {
        OnEvent(tag & 0xffffffff, static_cast<uint32_t>(tag >> 32), events[i].events);
      }
    }
    if (!held_.empty()) ResumeHeld();
    const BootTime now = source_.clock.Boot();
    if (now >= next_sweep_) CloseIdle(now);
  }
}

int TcpWorker::WaitMillis() const {
  if (free_slots_.size() == connections_.size()) return -1;
  BootTime next = next_sweep_;
  for (const Held& held : held_) next = std::min(next, held.wait.deadline);
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(next - source_.clock.Boot()).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 60000));
}

void TcpWorker::Accept(int listener) {
  for (size_t i = 0; i < kAcceptsPerWakeup; ++i) {
    UniqueFd fd(accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (!fd) {
      if (errno == EMFILE || errno == ENFILE) CloseLongestIdle();
      return;
    }
    counters_.connections.Add();
    if (free_slots_.empty() && !CloseLongestIdle()) {
      counters_.connections_refused.Add();
      continue;
    }
    const size_t slot = free_slots_.back();
    free_slots_.pop_back();
    next_generation_ = (next_generation_ + 1) & 0x7fffffff;  // never kNotAConnection
    connections_[slot] =
        std::make_unique<TcpConnection>(std::move(fd), next_generation_, source_.clock.Boot());
    connections_[slot]->watched_events = EPOLLIN;
    Watch(EPOLL_CTL_ADD, connections_[slot]->fd(), ConnectionTag(slot, next_generation_), EPOLLIN);
  }
}

// Of those that await nothing from us. False: there is none.
bool TcpWorker::CloseLongestIdle() {
  std::optional<size_t> oldest;
  for (size_t slot = 0; slot < connections_.size(); ++slot) {
    const TcpConnection* c = connections_[slot].get();
    if (c == nullptr || c->held || c->unsent() > 0) continue;
    if (!oldest || c->last_activity < connections_[*oldest]->last_activity) oldest = slot;
  }
  if (oldest) Close(*oldest);
  return oldest.has_value();
}

TcpConnection* TcpWorker::Find(size_t slot, uint32_t generation) {
  TcpConnection* connection = connections_[slot].get();
  return connection != nullptr && connection->generation() == generation ? connection : nullptr;
}

void TcpWorker::OnEvent(size_t slot, uint32_t generation, uint32_t events) {
  TcpConnection* connection = Find(slot, generation);
  if (connection == nullptr) return;
  const size_t unsent = connection->unsent();
  bool alive = (events & EPOLLERR) == 0;
  if (alive && connection->WantsToRead() && (events & (EPOLLIN | EPOLLHUP)) != 0) alive = connection->Read();
  if (alive && (events & EPOLLOUT) != 0) alive = connection->Write();
  // A client that has hung up both ways will never read what it still waits for.
  if ((events & EPOLLHUP) != 0 && !connection->WantsToRead()) alive = false;
  if (!alive) return Close(slot);
  if (connection->unsent() < unsent) connection->last_activity = source_.clock.Boot();
  Advance(slot);
}

template <class RespondTo>
bool TcpWorker::AnswerAll(TcpConnection& connection, RespondTo respond_to) {
  while (connection.unsent() < limits::kTcpPendingBytesMax) {
    const auto query = connection.FirstQuery();
    if (!query) return true;
    const std::optional<size_t> size = respond_to(*query, std::span(answer_.get(), wire::kMessageBytesMax));
    if (!size) return false;
    counters_.queries.Add();
    counters_.CountAnswer(answer_.get(), *size);
    if (*size > 0) connection.QueueAnswer({answer_.get(), *size});
    connection.PopQuery();
    connection.last_activity = source_.clock.Boot();
  }
  return true;
}

void TcpWorker::AnswerAllowed(size_t slot) {
  Wait wait;
  path_.Look();
  const bool all = AnswerAll(*connections_[slot], [&](wire::Bytes query, std::span<uint8_t> out) {
    return path_.Start(query, out, wait);
  });
  if (!all) Hold(slot, wait);
}

void TcpWorker::Advance(size_t slot) {
  TcpConnection& connection = *connections_[slot];
  // Again and again while what is answered can also be sent: no event would tell of the queries left in
  // memory.
  do {
    if (connection.CanAnswer()) AnswerAllowed(slot);
    if (!connection.Write()) return Close(slot);
  } while (connection.CanAnswer());
  if (connection.Finished()) return Close(slot);
  const uint32_t events = connection.events();
  if (events == connection.watched_events) return;
  connection.watched_events = events;
  Watch(EPOLL_CTL_MOD, connection.fd(), ConnectionTag(slot, connection.generation()), events);
}

void TcpWorker::Hold(size_t slot, const Wait& wait) {
  // Connections that went while they were held leave their entries behind.
  if (held_.size() >= 2 * limits::kTcpConnectionsMax)
    std::erase_if(held_, [this](const Held& h) { return Find(h.slot, h.generation) == nullptr; });
  connections_[slot]->held = true;
  held_.push_back({.slot = slot, .generation = connections_[slot]->generation(), .wait = wait});
}

void TcpWorker::ResumeHeld() {
  resuming_.swap(held_);
  for (Held& held : resuming_) {
    TcpConnection* connection = Find(held.slot, held.generation);
    if (connection == nullptr) continue;
    path_.Look();
    const bool all = AnswerAll(*connection, [&](wire::Bytes query, std::span<uint8_t> out) {
      return path_.Resume(query, out, held.wait);
    });
    connection->held = !all;
    if (!all) held_.push_back(held);
    Advance(held.slot);
  }
  resuming_.clear();
  path_.KeepWaiting(
      std::any_of(held_.begin(), held_.end(), [](const Held& held) { return !held.wait.for_barrier; }));
}

void TcpWorker::CloseIdle(BootTime now) {
  next_sweep_ = now + std::max<Duration>(idle_ / 8, std::chrono::milliseconds(1));
  for (size_t slot = 0; slot < connections_.size(); ++slot) {
    const TcpConnection* connection = connections_[slot].get();
    if (connection != nullptr && !connection->held && now - connection->last_activity >= idle_) Close(slot);
  }
}

void TcpWorker::Close(size_t slot) {
  connections_[slot].reset();  // closing a descriptor takes it out of epoll
  free_slots_.push_back(slot);
}

}  // namespace quorate::serve

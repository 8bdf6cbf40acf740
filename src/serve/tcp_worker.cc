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
constexpr uint64_t kWakeupTag = ~uint64_t{0}, kMailboxTag = kWakeupTag - 1;
constexpr size_t kAcceptsPerWakeup = 64;
constexpr size_t kProgressBytes = 4096;

uint64_t ConnectionTag(size_t slot, uint32_t generation) { return uint64_t{generation} << 32 | slot; }
uint64_t ListenerTag(size_t i) { return uint64_t{kNotAConnection} << 32 | i; }

}  // namespace

TcpWorker::TcpWorker(std::vector<UniqueFd> listeners, const ServerOptions& options, DataSource source)
    : listeners_(std::move(listeners)),
      idle_(options.tcp_idle),
      per_client_(options.tcp_per_client),
      tls_(options.tls),
      source_(source),
      config_(options.respond),
      answer_(new uint8_t[wire::kMessageBytesMax]),
      connections_(limits::kTcpConnectionsMax),
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      path_(source_, config_, options.hold_budget, counters_, [this] { wakeup_.Signal(); }) {
  config_.keepalive = static_cast<uint16_t>(
      std::min<int64_t>(std::chrono::duration_cast<std::chrono::milliseconds>(idle_).count() / 100, 65535));
  if (!epoll_) FailStop("cannot make an epoll instance: the limit on open files is too low (ulimit -n)");
  for (size_t slot = connections_.size(); slot-- > 0;) free_slots_.push_back(slot);
  for (size_t i = 0; i < listeners_.size(); ++i)
    Watch(EPOLL_CTL_ADD, listeners_[i].get(), ListenerTag(i), EPOLLIN);
  Watch(EPOLL_CTL_ADD, wakeup_.fd(), kWakeupTag, EPOLLIN);
  Watch(EPOLL_CTL_ADD, mailbox_->fd(), kMailboxTag, EPOLLIN);
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
    config_.wall_seconds = WallSeconds(source_.clock);
    for (int i = 0; i < count; ++i) {
      const uint64_t tag = events[i].data.u64;
      if (tag == kWakeupTag) {
        wakeup_.Clear();
      } else if (tag == kMailboxTag) {
        TakeLetters();
      } else if (tag >> 32 == kNotAConnection) {
        Accept(listeners_[tag & 0xffffffff].get());
      } else {
        OnEvent(tag & 0xffffffff, static_cast<uint32_t>(tag >> 32), events[i].events);
      }
    }
    if (!waiting_.empty()) ResumeHeld();
    const BootTime now = source_.clock.Boot();
    if (now >= next_sweep_) CloseIdle(now);
  }
}

int TcpWorker::WaitMillis() const {
  if (free_slots_.size() == connections_.size()) return -1;
  BootTime next = next_sweep_;
  if (!waiting_.empty()) next = std::min(next, next_deadline_);
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(next - source_.clock.Boot()).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 60000));
}

void TcpWorker::Accept(int listener) {
  for (size_t i = 0; i < kAcceptsPerWakeup; ++i) {
    SocketAddress peer;
    socklen_t length = SocketAddress::capacity();
    UniqueFd fd(accept4(listener, peer.get(), &length, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd) {
      Admit(std::move(fd), peer);
      continue;
    }
    if (errno == EMFILE || errno == ENFILE) CloseLongestIdle();
    if (errno != ECONNABORTED) return;
  }
}

void TcpWorker::Admit(UniqueFd fd, const SocketAddress& peer) {
  counters_.connections.Add();
  if (per_client_ < connections_.size() && ConnectionsOf(peer.octets()) >= per_client_) {
    counters_.client_limit.Add();
    if (!CloseLongestIdle(peer.octets())) return counters_.connections_refused.Add();
  }
  if (free_slots_.empty() && !CloseLongestIdle()) return counters_.connections_refused.Add();
  const size_t slot = free_slots_.back();
  free_slots_.pop_back();
  next_generation_ = (next_generation_ + 1) & 0x7fffffff;  // never kNotAConnection
  auto session = tls_ == nullptr ? nullptr : std::make_unique<TlsSession>(tls_->current(), fd.get());
  connections_[slot] = std::make_unique<TcpConnection>(std::move(fd), peer, next_generation_,
                                                       source_.clock.Boot(), std::move(session));
  connections_[slot]->watched_events = EPOLLIN;
  Watch(EPOLL_CTL_ADD, connections_[slot]->fd(), ConnectionTag(slot, next_generation_), EPOLLIN);
}

size_t TcpWorker::ConnectionsOf(const zone::Address& client) const {
  return static_cast<size_t>(std::count_if(connections_.begin(), connections_.end(), [&](const auto& c) {
    return c != nullptr && c->peer().octets() == client;
  }));
}

bool TcpWorker::CloseLongestIdle(const std::optional<zone::Address>& of) {
  std::optional<size_t> oldest;
  for (size_t slot = 0; slot < connections_.size(); ++slot) {
    const TcpConnection* c = connections_[slot].get();
    if (c == nullptr || c->AwaitsUs() || c->unsent() > 0 || (of && c->peer().octets() != *of)) continue;
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
  bool alive = (events & EPOLLERR) == 0;
  const uint32_t readable = EPOLLIN | EPOLLHUP | (connection->ReadsOnWritable() ? uint32_t{EPOLLOUT} : 0);
  if (alive && connection->WantsToRead() && (events & readable) != 0) alive = connection->Read();
  if (!alive && connection->IsHandshaking()) counters_.tls_failed.Add();
  if (alive && (events & EPOLLOUT) != 0) alive = Write(*connection);
  // A client that has hung up both ways will never read what it still waits for.
  if ((events & EPOLLHUP) != 0 && !connection->WantsToRead()) alive = false;
  if (!alive) return Close(slot);
  Advance(slot);
}

// A client that takes an octet now and then has not taken anything.
bool TcpWorker::Write(TcpConnection& connection) {
  const size_t unsent = connection.unsent();
  const bool alive = connection.Write();
  connection.sent_since += unsent - connection.unsent();
  if (connection.sent_since < (connection.unsent() > 0 ? kProgressBytes : 1)) return alive;
  connection.sent_since = 0;
  connection.last_activity = source_.clock.Boot();
  return alive;
}

Asker TcpWorker::AskerAt(const TcpConnection& connection) const {
  return {tls_ == nullptr ? Transport::kTcp : Transport::kTls, connection.peer().octets()};
}

void TcpWorker::Queue(TcpConnection& connection, size_t size) {
  counters_.CountAnswer(answer_.get(), size);
  if (size > 0) connection.QueueAnswer({answer_.get(), size});
  connection.last_activity = source_.clock.Boot();
}

void TcpWorker::AnswerHeld(TcpConnection& connection) {
  connection.AnswerHeld([&](TcpConnection::Held& held) {
    const wire::Bytes query(reinterpret_cast<const uint8_t*>(held.query.data()), held.query.size());
    const auto size = path_.Resume({query, AskerAt(connection)},
                                   std::span(answer_.get(), wire::kMessageBytesMax), held.wait);
    if (size) Queue(connection, *size);
    return size.has_value();
  });
}

bool TcpWorker::AnswerNew(TcpConnection& connection, size_t slot, wire::Bytes query, Wait& wait) {
  const Request request(query, AskerAt(connection));
  if (source_.slow != nullptr && IsForSlowDoor(request)) {
    AskSlowDoor(connection, slot, request, query);
    return true;
  }
  const auto size = path_.Start(request, std::span(answer_.get(), wire::kMessageBytesMax), wait);
  if (size) Queue(connection, *size);
  return size.has_value();
}

void TcpWorker::AskSlowDoor(TcpConnection& connection, size_t slot, const Request& request,
                            wire::Bytes query) {
  if (slow_requests_ == limits::kSlowRequestsMax) {
    counters_.slow_overflow.Add();
    return Queue(connection, path_.ServFail(request, std::span(answer_.get(), wire::kMessageBytesMax)));
  }
  ++slow_requests_, ++connection.at_slow_door;
  counters_.slow.Add();
  connection.last_activity = source_.clock.Boot();
  mailbox_->Ask(*source_.slow,
                {.message = std::string(query.begin(), query.end()),
                 .address = request.asker.address,
                 .port = connection.peer().port(),
                 .transport = request.asker.transport},
                {.slot = slot, .generation = connection.generation(), .peer = {}});
}

void TcpWorker::TakeLetters() {
  for (SlowLetter& letter : mailbox_->Take()) {
    TcpConnection* connection = Find(letter.to.slot, letter.to.generation);
    if (connection != nullptr) {
      --connection->at_slow_door;
      connection->last_activity = source_.clock.Boot();
    }
    if (connection != nullptr && letter.source) {
      connection->sources.push_back(std::move(letter.source));
    } else {
      --slow_requests_;
    }
    if (connection != nullptr) Advance(letter.to.slot);
  }
}

// What waits first: of what comes later nothing is newer than what is answered now.
void TcpWorker::Answer(TcpConnection& connection, size_t slot) {
  if (connection.held.empty() && !connection.CanAnswer()) return;
  path_.Look();
  AnswerHeld(connection);
  while (connection.CanAnswer()) {
    const wire::Bytes query = *connection.FirstQuery();
    Wait wait;
    counters_.queries.Add();
    if (!AnswerNew(connection, slot, query, wait)) {
      next_deadline_ = waiting_.empty() ? wait.deadline : std::min(next_deadline_, wait.deadline);
      connection.Hold(query, wait);
    }
    connection.PopQuery();
  }
  if (connection.held.empty() || connection.listed) return;
  connection.listed = true;
  waiting_.push_back({slot, connection.generation()});
}

void TcpWorker::Advance(size_t slot) {
  TcpConnection& connection = *connections_[slot];
  // Again and again while what is answered can also be sent: no event would tell of the queries left in
  // memory.
  do {
    if (connection.HasBuffered() && connection.WantsToRead() && !connection.Read()) return Close(slot);
    Answer(connection, slot);
    slow_requests_ -= connection.PullFromSources();
    if (!Write(connection)) return Close(slot);
  } while (connection.CanAnswer() || (connection.HasBuffered() && connection.WantsToRead()));
  if (connection.Finished()) return Close(slot);
  const uint32_t events = connection.events();
  if (events == connection.watched_events) return;
  connection.watched_events = events;
  Watch(EPOLL_CTL_MOD, connection.fd(), ConnectionTag(slot, connection.generation()), events);
}

void TcpWorker::ResumeHeld() {
  resuming_.swap(waiting_);
  for (const Waiting& waiting : resuming_) {
    TcpConnection* connection = Find(waiting.slot, waiting.generation);
    if (connection == nullptr) continue;
    connection->listed = false;
    Advance(waiting.slot);  // which lists it again while something waits
  }
  resuming_.clear();
  bool for_pending = false;
  next_deadline_ = BootTime{Duration::max()};
  for (const Waiting& waiting : waiting_) {
    const TcpConnection* connection = Find(waiting.slot, waiting.generation);
    if (connection == nullptr) continue;
    for (const TcpConnection::Held& held : connection->held) {
      for_pending = for_pending || !held.wait.for_barrier;
      // Without room for answers it is the client that is waited for.
      if (connection->HasRoom()) next_deadline_ = std::min(next_deadline_, held.wait.deadline);
    }
  }
  path_.KeepWaiting(for_pending);
}

void TcpWorker::CloseIdle(BootTime now) {
  next_sweep_ = now + std::max<Duration>(idle_ / 8, std::chrono::milliseconds(1));
  for (size_t slot = 0; slot < connections_.size(); ++slot) {
    const TcpConnection* connection = connections_[slot].get();
    if (connection != nullptr && now - connection->last_activity >= idle_ && !connection->IsOurTurn())
      Close(slot);
  }
}

void TcpWorker::Close(size_t slot) {
  slow_requests_ -= connections_[slot]->sources.size();
  connections_[slot].reset();  // closing a descriptor takes it out of epoll
  free_slots_.push_back(slot);
}

}  // namespace quorate::serve

#include "serve/udp_worker.h"

#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"

namespace quorate::serve {
namespace {

constexpr size_t kBatch = 64;  // datagrams in one system call
constexpr size_t kReceivesPerWakeup =
    4;  // full batches from one socket before the others and the held have a turn
constexpr size_t kQueryBytesMax = 4096;   // longer datagrams are cut, and then malformed
constexpr size_t kAnswerBytesMax = 4096;  // RespondConfig::udp_size_max may not ask for more
constexpr uint64_t kWakeupTag = ~uint64_t{0}, kMailboxTag = kWakeupTag - 1;

std::array<uint8_t, 16> RandomSecret() {
  std::array<uint8_t, 16> out{};
  if (getrandom(out.data(), out.size(), 0) != static_cast<ssize_t>(out.size()))
    FailStop("the system gives no random octets");
  return out;
}

Asker AskerAt(const SocketAddress& peer) { return {Transport::kUdp, peer.octets()}; }

}  // namespace

class UdpBatch {
 public:
  UdpBatch() {
    for (size_t i = 0; i < kBatch; ++i) {
      in_iov_[i] = {in_[i].data(), kQueryBytesMax};
      in_head_[i].msg_hdr = {.msg_iov = &in_iov_[i], .msg_iovlen = 1};
      out_head_[i].msg_hdr = {.msg_iov = &out_iov_[i], .msg_iovlen = 1};
    }
  }

  // How many datagrams came; 0: none waiting.
  size_t Receive(int fd) {
    for (size_t i = 0; i < kBatch; ++i) {
      in_head_[i].msg_hdr.msg_name = in_peer_[i].get();
      in_head_[i].msg_hdr.msg_namelen = SocketAddress::capacity();
    }
    const int count = recvmmsg(fd, in_head_, kBatch, MSG_DONTWAIT, nullptr);
    return count > 0 ? static_cast<size_t>(count) : 0;
  }
  wire::Bytes query(size_t i) const { return {in_[i].data(), in_head_[i].msg_len}; }
  const SocketAddress& peer(size_t i) const { return in_peer_[i]; }

  std::span<uint8_t> NextAnswer() { return out_[out_count_]; }
  void Commit(const SocketAddress& peer, size_t size) {
    out_peer_[out_count_] = peer;
    out_iov_[out_count_] = {out_[out_count_].data(), size};
    msghdr& head = out_head_[out_count_].msg_hdr;
    head.msg_name = out_peer_[out_count_].get();
    head.msg_namelen = peer.size();
    ++out_count_;
  }
  bool full() const { return out_count_ == kBatch; }
  bool empty() const { return out_count_ == 0; }

  // Sends what was committed; returns how many could not be sent. One bad destination does not stop the rest.
  size_t Send(int fd) {
    size_t sent = 0, failed = 0;
    while (sent < out_count_) {
      const int n = sendmmsg(fd, out_head_ + sent, static_cast<unsigned>(out_count_ - sent), 0);
      if (n > 0) {
        sent += static_cast<size_t>(n);
      } else if (n < 0 && errno != EINTR) {
        ++sent, ++failed;
      }
    }
    out_count_ = 0;
    return failed;
  }

  size_t socket = 0;  // what is committed goes out by this one

 private:
  std::array<uint8_t, kQueryBytesMax> in_[kBatch];
  std::array<uint8_t, kAnswerBytesMax> out_[kBatch];
  SocketAddress in_peer_[kBatch], out_peer_[kBatch];
  iovec in_iov_[kBatch], out_iov_[kBatch];
  mmsghdr in_head_[kBatch] = {}, out_head_[kBatch] = {};
  size_t out_count_ = 0;
};

UdpWorker::UdpWorker(std::vector<UniqueFd> sockets, const ServerOptions& options, DataSource source)
    : sockets_(std::move(sockets)),
      source_(source),
      config_(options.respond),
      held_(limits::kHeldQueriesMax, limits::kHeldQueryBytesMax),
      batch_(new UdpBatch),  // not value-initialised: what is never used never becomes resident
      epoll_(epoll_create1(EPOLL_CLOEXEC)),
      path_(source_, config_, options.hold_budget, counters_, [this] { wakeup_.Signal(); }),
      limiter_(options.rate_limits, RandomSecret(), limits::kRateAccounts) {
  if (!epoll_) FailStop("cannot make an epoll instance: the limit on open files is too low (ulimit -n)");
  const auto watch = [this](int fd, uint64_t tag) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    CHECK_EQ(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), 0);
  };
  for (size_t i = 0; i < sockets_.size(); ++i) watch(sockets_[i].get(), i);
  watch(wakeup_.fd(), kWakeupTag);
  watch(mailbox_->fd(), kMailboxTag);
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

UdpWorker::~UdpWorker() {
  thread_.request_stop();
  wakeup_.Signal();
  thread_.join();
}

void UdpWorker::Run(std::stop_token stop) {
  epoll_event events[16];
  while (!stop.stop_requested()) {
    const int count = epoll_wait(epoll_.get(), events, std::size(events), WaitMillis());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeupTag) {
        wakeup_.Clear();
      } else if (events[i].data.u64 == kMailboxTag) {
        SendSlowAnswers();
      } else {
        Receive(events[i].data.u64);
      }
    }
    if (!held_.empty()) ResumeHeld();
  }
}

int UdpWorker::WaitMillis() const {
  if (held_.empty()) return -1;
  const Duration left = next_deadline_ - source_.clock.Boot();
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 60000));
}

void UdpWorker::Receive(size_t socket) {
  for (size_t turn = 0; turn < kReceivesPerWakeup; ++turn) {
    const size_t count = batch_->Receive(sockets_[socket].get());
    if (count == 0) return;
    counters_.queries.Add(count);
    config_.health = source_.health.load(std::memory_order_relaxed);
    config_.wall_seconds = WallSeconds(source_.clock);
    path_.Look();
    if (limiter_.enabled()) now_ = source_.clock.Boot();
    for (size_t i = 0; i < count; ++i) {
      const Request request(batch_->query(i), AskerAt(batch_->peer(i)));
      if (source_.slow != nullptr && IsForSlowDoor(request)) {
        AskSlowDoor(request, batch_->query(i), socket, batch_->peer(i));
        continue;
      }
      Wait wait;
      const auto size = path_.Start(request, AnswerSpace(socket), wait);
      if (size) {
        SendLimited(request, batch_->peer(i), *size);
      } else {
        Hold({.wait = wait, .socket = socket, .peer = batch_->peer(i)}, batch_->query(i));
      }
    }
    Flush();
    if (count < kBatch) return;
  }
}

void UdpWorker::Hold(const HeldQuery& held, wire::Bytes query) {
  next_deadline_ = held_.empty() ? held.wait.deadline : std::min(next_deadline_, held.wait.deadline);
  while (!held_.TryPush(held, query)) {
    counters_.hold_overflow.Add();
    HeldQuery& oldest = held_.at(0);
    const std::span<uint8_t> out = AnswerSpace(oldest.socket);
    Send(oldest.peer, path_.ServFail({held_.bytes(oldest), AskerAt(oldest.peer)}, out));
    oldest.done = true;
    held_.PopDone();
  }
}

void UdpWorker::ResumeHeld() {
  path_.Look();
  if (limiter_.enabled()) now_ = source_.clock.Boot();
  bool for_pending = false;
  next_deadline_ = BootTime{Duration::max()};
  for (size_t i = 0; i < held_.size(); ++i) {
    HeldQuery& held = held_.at(i);
    if (held.done) continue;
    const Request request(held_.bytes(held), AskerAt(held.peer));
    const auto size = path_.Resume(request, AnswerSpace(held.socket), held.wait);
    if (size) {
      SendLimited(request, held.peer, *size);
      held.done = true;
    } else {
      next_deadline_ = std::min(next_deadline_, held.wait.deadline);
      for_pending = for_pending || !held.wait.for_barrier;
    }
  }
  held_.PopDone();
  Flush();
  path_.KeepWaiting(for_pending);
}

void UdpWorker::AskSlowDoor(const Request& request, wire::Bytes message, size_t socket,
                            const SocketAddress& peer) {
  if (slow_requests_ == limits::kSlowRequestsMax) {
    counters_.slow_overflow.Add();
    return Send(peer, path_.ServFail(request, AnswerSpace(socket)));
  }
  ++slow_requests_;
  counters_.slow.Add();
  mailbox_->Ask(*source_.slow,
                {.message = std::string(message.begin(), message.end()),
                 .address = request.asker.address,
                 .port = peer.port(),
                 .transport = Transport::kUdp},
                {.slot = socket, .generation = 0, .peer = peer});
}

// One by one: they are few, and may be larger than what is set aside for a batch.
void UdpWorker::SendSlowAnswers() {
  for (const SlowLetter& letter : mailbox_->Take()) {
    --slow_requests_;
    const std::string message = letter.source ? letter.source->Next() : std::string();
    counters_.CountAnswer(reinterpret_cast<const uint8_t*>(message.data()),
                          message.size() < wire::kHeaderBytes ? 0 : message.size());
    if (message.empty()) continue;
    const ssize_t sent = sendto(sockets_[letter.to.slot].get(), message.data(), message.size(), MSG_DONTWAIT,
                                letter.to.peer.get(), letter.to.peer.size());
    if (sent < 0) counters_.send_failed.Add();
  }
}

std::span<uint8_t> UdpWorker::AnswerSpace(size_t socket) {
  if (batch_->socket != socket || batch_->full()) Flush();
  batch_->socket = socket;
  return batch_->NextAnswer();
}

void UdpWorker::Send(const SocketAddress& peer, size_t size) {
  counters_.CountAnswer(batch_->NextAnswer().data(), size);
  if (size > 0) batch_->Commit(peer, size);
}

void UdpWorker::SendLimited(const Request& request, const SocketAddress& peer, size_t size) {
  const Response& response = path_.last();
  if (size == 0 || response.cookie_valid || !limiter_.enabled()) return Send(peer, size);
  const std::span<uint8_t> out = batch_->NextAnswer();
  const bool answers = wire::LoadU16(out.data() + 6) > 0;
  const auto kind = static_cast<uint8_t>((out[3] & 0xf) << 1 | (answers ? 1 : 0));
  switch (limiter_.Book(request.asker.address, response.rate_name, kind, now_)) {
    case RateLimiter::Verdict::kSend:
      return Send(peer, size);
    case RateLimiter::Verdict::kTruncate:
      counters_.rate_truncated.Add();
      return Send(peer, path_.Truncated(request, out));
    case RateLimiter::Verdict::kDrop:
      return counters_.rate_dropped.Add();
  }
}

void UdpWorker::Flush() {
  if (batch_->empty()) return;
  counters_.send_failed.Add(batch_->Send(sockets_[batch_->socket].get()));
}

}  // namespace quorate::serve

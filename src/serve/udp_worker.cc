#include "serve/udp_worker.h"

#include <sys/epoll.h>
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
constexpr uint64_t kWakeupTag = ~uint64_t{0};

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
      hold_budget_(options.hold_budget),
      source_(source),
      config_(options.respond),
      view_(source.views),
      held_(limits::kHeldQueriesMax, limits::kHeldQueryBytesMax),
      batch_(new UdpBatch),  // not value-initialised: what is never used never becomes resident
      epoll_(epoll_create1(EPOLL_CLOEXEC)) {
  if (!epoll_) FailStop("cannot make an epoll instance: the limit on open files is too low (ulimit -n)");
  const auto watch = [this](int fd, uint64_t tag) {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = tag}};
    CHECK_EQ(epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event), 0);
  };
  for (size_t i = 0; i < sockets_.size(); ++i) watch(sockets_[i].get(), i);
  watch(wakeup_.fd(), kWakeupTag);
  subscription_ = source_.gate.Subscribe([this] { wakeup_.Signal(); });
  thread_ = std::jthread([this](std::stop_token stop) { Run(stop); });
}

UdpWorker::~UdpWorker() {
  thread_.request_stop();
  wakeup_.Signal();
  thread_.join();
  source_.gate.Unsubscribe(subscription_);
}

void UdpWorker::Run(std::stop_token stop) {
  epoll_event events[16];
  while (!stop.stop_requested()) {
    const int count = epoll_wait(epoll_.get(), events, std::size(events), WaitMillis());
    for (int i = 0; i < count; ++i) {
      if (events[i].data.u64 == kWakeupTag) {
        wakeup_.Clear();
      } else {
        Receive(events[i].data.u64);
      }
    }
    if (held_.empty()) continue;
    AnswerHeld();
    ExpireHeld();
  }
}

int UdpWorker::WaitMillis() const {
  if (held_.empty()) return -1;
  const Duration left = held_.front().deadline - source_.clock.Boot();
  const auto millis = std::chrono::ceil<std::chrono::milliseconds>(left).count();
  return static_cast<int>(std::clamp<int64_t>(millis, 0, 60000));
}

void UdpWorker::Receive(size_t socket) {
  for (size_t turn = 0; turn < kReceivesPerWakeup; ++turn) {
    const size_t count = batch_->Receive(sockets_[socket].get());
    if (count == 0) return;
    counters_.queries.Add(count);
    config_.health = source_.health.load(std::memory_order_relaxed);
    // The gate is asked after the queries came, and the view is loaded after the gate has answered.
    if (source_.gate.HoldsLease(source_.clock.Boot())) {
      Answer(count, socket);
    } else {
      Hold(count, socket);
    }
    if (count < kBatch) return;
  }
}

void UdpWorker::Answer(size_t count, size_t socket) {
  const zone::ZoneSet& zones = *view_.Refresh().zones;
  for (size_t i = 0; i < count; ++i)
    Send(batch_->peer(i), Respond(batch_->query(i), zones, Transport::kUdp, config_, AnswerSpace(socket)));
  Flush();
}

void UdpWorker::Hold(size_t count, size_t socket) {
  std::optional<HeldQuery> held;
  for (size_t i = 0; i < count; ++i) {
    const auto size = RespondWithoutZones(batch_->query(i), Transport::kUdp, config_, AnswerSpace(socket));
    if (size) {
      Send(batch_->peer(i), *size);
      continue;
    }
    if (!held)
      held = {.ticket = source_.gate.BeginBarrier(),
              .deadline = source_.clock.Boot() + hold_budget_,
              .socket = socket};
    held->peer = batch_->peer(i);
    HoldOne(*held, batch_->query(i));
  }
  Flush();
}

void UdpWorker::HoldOne(const HeldQuery& held, wire::Bytes query) {
  counters_.held.Add();
  while (!held_.TryPush(held, query)) {
    counters_.hold_overflow.Add();
    AnswerFront([this](wire::Bytes bytes, std::span<uint8_t> out) {
      return RespondServFail(bytes, Transport::kUdp, config_, out);
    });
  }
}

template <class RespondTo>
void UdpWorker::AnswerFront(RespondTo respond_to) {
  const HeldQuery& held = held_.front();
  Send(held.peer, respond_to(held_.front_bytes(), AnswerSpace(held.socket)));
  held_.PopFront();
}

void UdpWorker::AnswerHeld() {
  const uint64_t completed =
      source_.gate.HoldsLease(source_.clock.Boot()) ? ~uint64_t{0} : source_.gate.completed();
  if (held_.front().ticket > completed) return;
  const zone::ZoneSet& zones = *view_.Refresh().zones;
  while (!held_.empty() && held_.front().ticket <= completed) {
    AnswerFront([&](wire::Bytes bytes, std::span<uint8_t> out) {
      return Respond(bytes, zones, Transport::kUdp, config_, out);
    });
  }
  Flush();
}

void UdpWorker::ExpireHeld() {
  if (held_.empty()) return;
  const BootTime now = source_.clock.Boot();
  while (!held_.empty() && held_.front().deadline <= now) {
    counters_.hold_expired.Add();
    AnswerFront([this](wire::Bytes bytes, std::span<uint8_t> out) {
      return RespondServFail(bytes, Transport::kUdp, config_, out);
    });
  }
  Flush();
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

void UdpWorker::Flush() {
  if (batch_->empty()) return;
  counters_.send_failed.Add(batch_->Send(sockets_[batch_->socket].get()));
}

}  // namespace quorate::serve

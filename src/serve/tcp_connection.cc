#include "serve/tcp_connection.h"

#include <sys/epoll.h>
#include <sys/socket.h>

#include <algorithm>
#include <cerrno>

#include "base/limits.h"
#include "wire/framing.h"
#include "wire/writer.h"

namespace quorate::serve {
namespace {

constexpr size_t kReadBytes = 4096;
constexpr size_t kInputBytesMax = wire::kFrameHeaderBytes + wire::kMessageBytesMax;
constexpr long kBroken = -2;
constexpr size_t kKeepOutputBytes = 16384;  // more is given back once it has been sent

bool NothingNow() { return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR; }

}  // namespace

bool TcpConnection::Read() {
  if (in_taken_ > 0) {
    in_.erase(in_.begin(), in_.begin() + static_cast<long>(in_taken_));
    in_taken_ = 0;
  }
  const size_t before = in_.size();
  const size_t room = std::min(kReadBytes, kInputBytesMax - before);
  if (room == 0) return true;  // a whole message is there, and must be taken first
  in_.resize(before + room);
  const long n = Receive(in_.data() + before, room);
  in_.resize(before + static_cast<size_t>(std::max(n, 0L)));
  if (n == 0) at_eof_ = true;
  return n != kBroken;
}

bool TcpConnection::Write() {
  while (unsent() > 0) {
    const long n = Send();
    if (n < 0) return n != kBroken;
    out_sent_ += static_cast<size_t>(n);
  }
  out_.clear();
  out_sent_ = 0;
  if (out_.capacity() > kKeepOutputBytes) out_.shrink_to_fit();
  return true;
}

long TcpConnection::Receive(uint8_t* to, size_t size) {
  if (tls_) return tls_->Read(to, size);
  const ssize_t n = recv(fd_.get(), to, size, MSG_DONTWAIT);
  return n >= 0 ? n : NothingNow() ? -1 : kBroken;
}

long TcpConnection::Send() {
  if (tls_) return tls_->Write(out_.data() + out_sent_, unsent());
  ssize_t n;
  do n = send(fd_.get(), out_.data() + out_sent_, unsent(), MSG_DONTWAIT | MSG_NOSIGNAL);
  while (n < 0 && errno == EINTR);
  return n >= 0 ? n : NothingNow() ? -1 : kBroken;
}

std::optional<wire::Bytes> TcpConnection::FirstQuery() const {
  return wire::FirstFrame(wire::Bytes(in_).subspan(in_taken_));
}

void TcpConnection::PopQuery() {
  if (const auto query = FirstQuery()) in_taken_ += wire::kFrameHeaderBytes + query->size();
}

void TcpConnection::QueueAnswer(std::span<const uint8_t> message) {
  uint8_t length[wire::kFrameHeaderBytes];
  wire::StoreU16(length, static_cast<uint16_t>(message.size()));
  out_.append(reinterpret_cast<const char*>(length), sizeof length);
  out_.append(reinterpret_cast<const char*>(message.data()), message.size());
}

void TcpConnection::Hold(wire::Bytes query, const Wait& wait) {
  held.push_back({std::string(query.begin(), query.end()), wait});
  held_bytes_ += query.size();
}

// Not up to the bound: other answers find their way between those of a long transfer.
size_t TcpConnection::PullFromSources() {
  size_t ended = 0;
  while (!sources.empty() && unsent() < limits::kTcpPendingBytesMax / 2) {
    std::unique_ptr<MessageSource> source = std::move(sources.front());
    sources.pop_front();
    const std::string message = source->Next();
    if (message.empty() || message.size() > wire::kMessageBytesMax) {
      ++ended;
      continue;
    }
    QueueAnswer({reinterpret_cast<const uint8_t*>(message.data()), message.size()});
    sources.push_back(std::move(source));
  }
  return ended;
}

bool TcpConnection::HasRoom() const { return unsent() < limits::kTcpPendingBytesMax; }

bool TcpConnection::HasRoomToWait() const {
  return held.size() < limits::kTcpHeldQueriesMax && held_bytes_ < limits::kTcpHeldBytesMax &&
         at_slow_door + sources.size() < limits::kSlowRequestsPerConnectionMax;
}

bool TcpConnection::WantsToRead() const { return !at_eof_ && HasRoom() && HasRoomToWait(); }

bool TcpConnection::CanAnswer() const { return HasRoom() && HasRoomToWait() && FirstQuery().has_value(); }

uint32_t TcpConnection::events() const {
  return (WantsToRead() ? uint32_t{EPOLLIN} : 0) |
         (unsent() > 0 || !sources.empty() || ReadsOnWritable() ? uint32_t{EPOLLOUT} : 0);
}

}  // namespace quorate::serve

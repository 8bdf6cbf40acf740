#include "transport/grpc/peer_client.h"

#include <algorithm>
#include <chrono>
#include <random>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/limits.h"
#include "raft/codec.h"

namespace quorate::transport {
namespace {

constexpr size_t kFrameBytes = size_t{256} << 10;  // enough to make the frame's own cost vanish
constexpr size_t kFrameMessages = 256;
constexpr size_t kUnconnectedMessages = 64;
constexpr size_t kQueueBytes = 2 * limits::kInflightBytesMax + limits::kCommandBytesMax;
constexpr uint64_t kBackoffFirstMs = 50, kBackoffMaxMs = 1000;

size_t Bytes(const raft::Message& message) {
  size_t bytes = 64;
  if (const auto* append = std::get_if<raft::AppendEntries>(&message.body))
    for (const raft::LogEntry& entry : append->entries) bytes += 32 + entry.bytes();
  if (const auto* chunk = std::get_if<raft::SnapshotChunk>(&message.body))
    bytes += chunk->data ? chunk->data->size() : 0;
  if (const auto* propose = std::get_if<raft::ProposeRequest>(&message.body))
    bytes += propose->command ? propose->command->size() : 0;
  return bytes;
}

}  // namespace

// One call. A hold keeps it alive while frames may be written from outside its own reactions; whoever finds
// that no write is under way and none will come lets it go.
class PeerClient::Stream final : public grpc::ClientWriteReactor<peer::v1::Frame> {
 public:
  explicit Stream(std::shared_ptr<PeerClient> peer)
      : peer_(std::move(peer)), context_(std::make_shared<grpc::ClientContext>()) {
    WriteHello(peer_->hello_, *context_);
  }
  void Begin() {
    peer_->stub_->async()->Messages(context_.get(), &end_, this);
    AddHold();
    StartCall();
  }
  void Write() { StartWrite(&frame); }

  void OnReadInitialMetadataDone(bool ok) override {
    peer_->OnAccepted(ok && context_->GetServerInitialMetadata().contains(kAcceptedKey), *this);
  }
  void OnWriteDone(bool ok) override { peer_->OnWritten(ok, *this); }
  void OnDone(const grpc::Status& status) override {
    peer_->OnEnded(status);
    delete this;
  }
  std::shared_ptr<grpc::ClientContext> context() const { return context_; }

  peer::v1::Frame frame;

 private:
  const std::shared_ptr<PeerClient> peer_;
  const std::shared_ptr<grpc::ClientContext> context_;
  peer::v1::End end_;
};

PeerClient::PeerClient(std::string address, std::shared_ptr<grpc::Channel> channel, Hello hello,
                       std::function<void(const std::string&)> notice)
    : address_(std::move(address)),
      channel_(std::move(channel)),
      stub_(peer::v1::Peer::NewStub(channel_)),
      hello_(std::move(hello)),
      notice_(std::move(notice)),
      jitter_(std::random_device()()) {}

void PeerClient::Start() { Connect(); }

void PeerClient::Connect() {
  Stream* stream = nullptr;
  {
    std::lock_guard lock(mu_);
    if (stopping_) return;
    stream = stream_ = new Stream(shared_from_this());
  }
  stream->Begin();
}

bool PeerClient::FillFrame(peer::v1::Frame& frame) {
  frame.Clear();
  size_t bytes = 0;
  while (!queue_.empty() && bytes < kFrameBytes && frame.messages_size() < static_cast<int>(kFrameMessages)) {
    const size_t size = Bytes(queue_.front());
    if (raft::CanEncode(queue_.front(), version_)) {
      ByteWriter out(size);
      raft::EncodeMessage(queue_.front(), out, version_);
      frame.add_messages(out.Take());
    }
    bytes += size;
    queue_bytes_ -= size;
    queue_.pop_front();
  }
  return frame.messages_size() > 0;
}

void PeerClient::Send(raft::Message message) {
  Stream* stream = nullptr;
  {
    std::lock_guard lock(mu_);
    const size_t bytes = Bytes(message);
    const size_t messages_max = accepted_ ? limits::kPeerQueueMessages : kUnconnectedMessages;
    if (stopping_ || queue_.size() >= messages_max || queue_bytes_ + bytes > kQueueBytes) return;
    queue_.push_back(std::move(message));
    queue_bytes_ += bytes;
    if (!accepted_ || writing_) return;
    writing_ = FillFrame(stream_->frame);
    if (!writing_) return;  // nothing that the peer's version can say
    stream = stream_;
  }
  stream->Write();  // may run its own reaction before it returns: not under the lock
}

void PeerClient::OnAccepted(bool accepted, Stream& stream) {
  std::unique_lock lock(mu_);
  if (accepted && !stopping_) {
    accepted_ = true;
    version_ = AcceptedVersion(*stream.context(), hello_.version);
    failures_ = 0;
    last_error_.clear();
    writing_ = FillFrame(stream.frame);
    const bool write = writing_;
    lock.unlock();
    notice_(absl::StrCat("connected to member ", hello_.to.value, " at ", address_));
    if (write) stream.Write();
    return;
  }
  lock.unlock();
  stream.context()->TryCancel();
  stream.RemoveHold();
}

void PeerClient::OnWritten(bool ok, Stream& stream) {
  std::unique_lock lock(mu_);
  writing_ = ok && !stopping_ && FillFrame(stream.frame);
  const bool over = !ok || stopping_;
  if (over) accepted_ = false;
  const bool write = writing_;
  lock.unlock();
  if (write) stream.Write();
  if (over) stream.RemoveHold();
}

void PeerClient::OnEnded(const grpc::Status& status) {
  std::unique_lock lock(mu_);
  stream_ = nullptr;
  accepted_ = writing_ = false;
  if (stopping_) {
    // The owner may go as soon as it hears of this: the stream still holds a reference.
    quiet_.notify_all();
    return;
  }
  const uint64_t most = std::min(kBackoffMaxMs, kBackoffFirstMs << std::min(failures_++, 10));
  const std::chrono::milliseconds delay(most / 2 + jitter_.Below(most / 2 + 1));
  waiting_ = true;
  alarm_ = std::make_unique<grpc::Alarm>();
  // Weakly: an alarm keeps its callback, and this keeps the alarm.
  alarm_->Set(std::chrono::system_clock::now() + delay, [weak = weak_from_this()](bool) {
    if (auto peer = weak.lock()) peer->OnRetry();
  });
  const bool news = last_error_ != status.error_message();
  last_error_ = status.error_message();
  const std::string why = last_error_.empty() ? "it closed the connection" : last_error_;
  lock.unlock();
  if (news) notice_(absl::StrCat("no connection to member ", hello_.to.value, " at ", address_, ": ", why));
}

void PeerClient::OnRetry() {
  {
    std::lock_guard lock(mu_);
    waiting_ = false;
    if (stopping_) {
      quiet_.notify_all();
      return;
    }
  }
  Connect();
}

void PeerClient::Stop() {
  std::unique_lock lock(mu_);
  stopping_ = true;
  queue_.clear();
  queue_bytes_ = 0;
  // Accepted and nothing written: no reaction will come that could let go of the hold.
  Stream* idle = accepted_ && !writing_ ? stream_ : nullptr;
  accepted_ = false;
  const auto context = stream_ ? stream_->context() : nullptr;
  grpc::Alarm* alarm = waiting_ ? alarm_.get() : nullptr;
  lock.unlock();
  if (context) context->TryCancel();
  if (idle) idle->RemoveHold();
  if (alarm) alarm->Cancel();
  lock.lock();
  quiet_.wait(lock, [this] { return !stream_ && !waiting_; });
}

}  // namespace quorate::transport

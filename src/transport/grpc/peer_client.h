// The stream to one peer: kept up, written in batches, dropped into when it cannot keep pace.
#pragma once

#include <grpcpp/alarm.h>
#include <grpcpp/grpcpp.h>

#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <string>

#include "base/rng.h"
#include "peer.grpc.pb.h"
#include "raft/messages.h"
#include "transport/grpc/hello.h"

namespace quorate::transport {

class PeerClient : public std::enable_shared_from_this<PeerClient> {
 public:
  PeerClient(std::string address, std::shared_ptr<grpc::Channel> channel, Hello hello,
             std::function<void(const std::string&)> notice);

  void Start();
  // Any thread, never blocks. A message that finds the queue full is dropped; while there is no connection
  // only a few are kept: they are stale before they could be sent.
  void Send(raft::Message message);
  // Returns when nothing of it runs any more.
  void Stop();

  const std::string& address() const { return address_; }

 private:
  class Stream;
  void Connect();
  bool FillFrame(peer::v1::Frame& frame);  // mu_ held; false: nothing to send
  void OnAccepted(bool accepted, Stream& stream);
  void OnWritten(bool ok, Stream& stream);
  void OnEnded(const grpc::Status& status);
  void OnRetry();

  const std::string address_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<peer::v1::Peer::Stub> stub_;
  const Hello hello_;
  const std::function<void(const std::string&)> notice_;

  std::mutex mu_;
  std::condition_variable quiet_;
  // All guarded by mu_.
  std::deque<raft::Message> queue_;
  size_t queue_bytes_ = 0;
  Stream* stream_ = nullptr;  // deletes itself when the call has ended
  bool accepted_ = false;     // the peer took the hello ...
  uint8_t version_ = 0;       // ... and is spoken to in this version of messages
  bool writing_ = false;      // a write is under way: its end will come
  bool stopping_ = false;
  bool waiting_ = false;  // for the next attempt
  std::unique_ptr<grpc::Alarm> alarm_;
  int failures_ = 0;
  std::string last_error_;
  Rng jitter_;
};

}  // namespace quorate::transport

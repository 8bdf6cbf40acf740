// One client's TCP connection: octets in and out, and where it stands with the read gate. One thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"
#include "serve/unique_fd.h"
#include "wire/error.h"

namespace quorate::serve {

class TcpConnection {
 public:
  TcpConnection(UniqueFd fd, uint32_t generation, BootTime now)
      : last_activity(now), fd_(std::move(fd)), generation_(generation) {}

  int fd() const { return fd_.get(); }
  uint32_t generation() const { return generation_; }  // tells this connection from others in its slot

  // Both: false when the connection is broken. They never block.
  bool Read();   // what is there, as far as one message and its length fit
  bool Write();  // as much as the socket takes

  // The oldest query that is complete.
  std::optional<wire::Bytes> FirstQuery() const;
  void PopQuery();
  // `message` will follow what is still to be sent, behind its length.
  void QueueAnswer(std::span<const uint8_t> message);

  size_t unsent() const { return out_.size() - out_sent_; }
  // The client has said all it wants to say, and everything was answered.
  bool Finished() const { return at_eof_ && !held && unsent() == 0 && !FirstQuery(); }
  bool WantsToRead() const;
  bool CanAnswer() const;   // there is a query, nothing it must wait for, and room for its answer
  uint32_t events() const;  // for epoll

  bool held = false;  // FirstQuery() waits for a read barrier
  uint32_t watched_events = 0;
  BootTime last_activity;  // the last whole query, or the last progress in sending

 private:
  UniqueFd fd_;
  uint32_t generation_;
  std::vector<uint8_t> in_;
  size_t in_taken_ = 0;
  std::string out_;
  size_t out_sent_ = 0;
  bool at_eof_ = false;
};

}  // namespace quorate::serve

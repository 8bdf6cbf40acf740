// One client's TCP connection: octets in and out, and what of its queries is not answered yet. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/types.h"
#include "serve/read_path.h"
#include "serve/slow_door.h"
#include "serve/socket_address.h"
#include "serve/tls.h"
#include "serve/unique_fd.h"
#include "wire/error.h"

namespace quorate::serve {

class TcpConnection {
 public:
  // `tls`: null, or of `fd`.
  TcpConnection(UniqueFd fd, const SocketAddress& peer, uint32_t generation, BootTime now,
                std::unique_ptr<TlsSession> tls = nullptr)
      : last_activity(now), fd_(std::move(fd)), tls_(std::move(tls)), peer_(peer), generation_(generation) {}

  int fd() const { return fd_.get(); }
  const SocketAddress& peer() const { return peer_; }
  uint32_t generation() const { return generation_; }  // tells this connection from others in its slot

  // Both: false when the connection is broken. They never block.
  bool Read();   // what is there, as far as one message and its length fit
  bool Write();  // as much as the socket takes

  // More may be read although the socket has nothing.
  bool HasBuffered() const { return tls_ && tls_->HasBuffered(); }
  bool IsHandshaking() const { return tls_ && !tls_->established(); }
  bool ReadsOnWritable() const { return tls_ && tls_->wants_write(); }

  // The oldest query that is complete.
  std::optional<wire::Bytes> FirstQuery() const;
  void PopQuery();
  // `message` will follow what is still to be sent, behind its length.
  void QueueAnswer(std::span<const uint8_t> message);

  size_t unsent() const { return out_.size() - out_sent_; }

  // A query that waits, while others are answered (RFC 7766 6.2.1.1).
  struct Held {
    std::string query;
    Wait wait;
  };
  std::vector<Held> held;  // in the order in which they came
  bool listed = false;     // the worker has it among those with queries that wait
  void Hold(wire::Bytes query, const Wait& wait);
  // Answers those that need wait no longer. `respond(held)` is a reply.
  template <class RespondTo>
  void AnswerHeld(RespondTo respond) {
    size_t kept = 0;
    held_bytes_ = 0;
    for (Held& h : held) {
      if (HasRoom() && respond(h)) continue;
      held_bytes_ += h.query.size();
      std::swap(held[kept++], h);
    }
    held.resize(kept);
  }

  size_t at_slow_door = 0;                             // requests that it has not answered yet
  std::deque<std::unique_ptr<MessageSource>> sources;  // its answers, which are sent in turns
  // Takes from the sources what there is room for; how many of them have ended.
  size_t PullFromSources();

  // The client has said all it wants to say, and everything was answered.
  bool Finished() const { return at_eof_ && !AwaitsUs() && unsent() == 0 && !FirstQuery(); }
  bool AwaitsUs() const { return !held.empty() || at_slow_door > 0 || !sources.empty(); }
  // It is our turn: the client is neither to send nor to read anything.
  bool IsOurTurn() const { return AwaitsUs() && unsent() == 0; }
  bool HasRoom() const;  // for an answer
  bool WantsToRead() const;
  bool CanAnswer() const;   // there is a query, room for its answer, and for it among those that wait
  uint32_t events() const;  // for epoll

  uint32_t watched_events = 0;
  BootTime last_activity;  // the last whole query, or the last progress in sending
  size_t sent_since = 0;   // octets, of what is on its way

 private:
  bool HasRoomToWait() const;

  long Receive(uint8_t* to, size_t size);
  long Send();

  UniqueFd fd_;
  std::unique_ptr<TlsSession> tls_;  // goes before the descriptor
  SocketAddress peer_;
  uint32_t generation_;
  std::vector<uint8_t> in_;
  size_t in_taken_ = 0;
  std::string out_;
  size_t out_sent_ = 0;
  size_t held_bytes_ = 0;
  bool at_eof_ = false;
};

}  // namespace quorate::serve

// Where the workers hand over what is not for the fast path: UPDATE, NOTIFY, transfers, and all that is
// signed with TSIG. The implementation is in api/.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "serve/transport.h"

namespace quorate::serve {

// The messages that answer one request, one after the other.
class MessageSource {
 public:
  virtual ~MessageSource() = default;
  // The next message to send, without its length; empty: that was all, and it is not asked again. The worker
  // calls it when the connection has room: bounded work, no blocking. Over UDP it is asked once.
  virtual std::string Next() = 0;
};

struct SlowRequest {
  std::string message;
  std::array<uint8_t, 16> address{};  // of the client; IPv4 as ::ffff:a.b.c.d
  uint16_t port = 0;
  Transport transport = Transport::kUdp;
};

class SlowDoor {
 public:
  virtual ~SlowDoor() = default;
  // Exactly once, from any thread, also from within Ask; null: no answer. What is never called counts as
  // called with null when its last copy goes.
  using Deliver = std::function<void(std::unique_ptr<MessageSource>)>;
  // From the workers' threads; never blocks.
  virtual void Ask(SlowRequest request, Deliver deliver) = 0;
};

// One message, and that was all.
class SingleMessage final : public MessageSource {
 public:
  explicit SingleMessage(std::string message) : message_(std::move(message)) {}
  std::string Next() override { return std::exchange(message_, {}); }

 private:
  std::string message_;
};

}  // namespace quorate::serve

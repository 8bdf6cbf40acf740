#include "sim/network.h"

#include "base/check.h"
#include "raft/codec.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

void Network::Attach(MemberId member, std::function<void(raft::Message)> receive) {
  receivers_[member] = std::move(receive);
}

void Network::DrawWeather() {
  const auto draw = [&](std::initializer_list<uint64_t> values) {
    return *(values.begin() + world_.rng().Below(values.size()));
  };
  lost_permille_ = draw({0, 0, 2, 10, 50, 200});
  repeated_permille_ = draw({0, 0, 5, 50});
  slow_permille_ = draw({0, 5, 50});
}

void Network::Calm() { lost_permille_ = repeated_permille_ = slow_permille_ = 0; }

void Network::Isolate(MemberId member) {
  for (const auto& [other, receive] : receivers_) {
    if (other == member) continue;
    Cut(member, other);
    Cut(other, member);
  }
}

Duration Network::Delay() {
  if (world_.rng().Chance(slow_permille_, 1000)) return world_.Between(milliseconds(5), milliseconds(600));
  return world_.Between(microseconds(50), microseconds(900));
}

void Network::Send(const raft::Message& message) {
  ByteWriter out;
  raft::EncodeMessage(message, out);
  if (cut_.contains({message.from, message.to})) return;
  uint64_t copies = world_.rng().Chance(lost_permille_, 1000) ? 0 : 1;
  if (world_.rng().Chance(repeated_permille_, 1000)) ++copies;
  for (; copies > 0; --copies) {
    world_.After(Delay(), [this, to = message.to, bytes = out.str()] {
      auto received = raft::DecodeMessage(bytes);
      CHECK(received.has_value());  // what our own encoder made
      receivers_.at(to)(*std::move(received));
    });
  }
}

}  // namespace quorate::sim

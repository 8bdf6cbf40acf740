#include "sim/network.h"

#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;
using std::chrono::seconds;

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
  slow_permille_ = std::max<uint64_t>(slow_permille_min_, draw({0, 5, 50}));
  in_order_ = world_.rng().Chance(1, 2);
}

void Network::Calm() {
  in_order_ = true;
  lost_permille_ = repeated_permille_ = slow_permille_ = 0;
  slow_.clear();
}

void Network::Separate(const std::set<MemberId>& group) {
  for (MemberId inside : group)
    for (const auto& [outside, receive] : receivers_)
      if (!group.contains(outside)) CutBoth(inside, outside);
}

Duration Network::Delay(MemberId from, MemberId to) {
  const auto slow = slow_.find({from, to});
  Duration delay = shape_.OneWay(from, to) + (slow == slow_.end() ? Duration(0) : slow->second);
  delay += world_.Between(microseconds(50), microseconds(900) + delay / 8);
  if (!world_.rng().Chance(slow_permille_, 1000)) return delay;
  const bool very = world_.rng().Chance(1, 10);
  SIM_PROBE("sim.network.message-very-late", very);
  return delay + (very ? world_.Between(milliseconds(600), seconds(4))
                       : world_.Between(milliseconds(5), milliseconds(600)));
}

void Network::Send(const raft::Message& message) {
  ByteWriter out;
  raft::EncodeMessage(message, out);
  if (cut_.contains({message.from, message.to})) return;
  uint64_t copies = world_.rng().Chance(lost_permille_, 1000) ? 0 : 1;
  if (world_.rng().Chance(repeated_permille_, 1000)) ++copies;
  for (; copies > 0; --copies) Deliver(message, out.str());
}

void Network::Deliver(const raft::Message& message, const std::string& bytes) {
  Duration at = world_.now() + Delay(message.from, message.to);
  Duration& busy_until = busy_until_[{message.from, message.to}];
  SIM_PROBE("sim.network.overtaken", at < busy_until && !in_order_);
  if (in_order_) at = std::max(at, busy_until);
  busy_until = std::max(busy_until, at);
  world_.At(at, [this, to = message.to, bytes] {
    auto received = raft::DecodeMessage(bytes);
    CHECK(received.has_value());  // what our own encoder made
    // A new member may be listed before its machine is there.
    if (const auto receiver = receivers_.find(to); receiver != receivers_.end())
      receiver->second(*std::move(received));
  });
}

}  // namespace quorate::sim

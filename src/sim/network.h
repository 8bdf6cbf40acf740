// The simulated network: loses, repeats, delays, reorders and cuts. Messages travel as the bytes they would
// be.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <utility>

#include "raft/messages.h"
#include "sim/shape.h"
#include "sim/world.h"

namespace quorate::sim {

class Network {
 public:
  // At least `slow_permille` of the messages are late.
  Network(World& world, const Shape& shape, uint64_t slow_permille)
      : world_(world), shape_(shape), slow_permille_min_(slow_permille) {
    DrawWeather();
  }

  void Attach(MemberId member, std::function<void(raft::Message)> receive);
  void Send(const raft::Message& message);

  void Cut(MemberId from, MemberId to) { cut_.emplace(from, to); }
  void CutBoth(MemberId a, MemberId b) { Cut(a, b), Cut(b, a); }
  // Both ways between `group` and all others.
  void Separate(const std::set<MemberId>& group);
  void Heal() { cut_.clear(); }
  // One way, from now on: so much longer.
  void SlowLink(MemberId from, MemberId to, Duration extra) { slow_[{from, to}] = extra; }
  void DrawWeather();  // how much is lost and how long the rest takes, from now on
  void Calm();         // nothing is lost any more, and every link is as fast as it can be

 private:
  void Deliver(const raft::Message& message, const std::string& bytes);
  Duration Delay(MemberId from, MemberId to);

  World& world_;
  const Shape& shape_;
  const uint64_t slow_permille_min_;
  std::map<MemberId, std::function<void(raft::Message)>> receivers_;
  std::set<std::pair<MemberId, MemberId>> cut_;
  std::map<std::pair<MemberId, MemberId>, Duration> slow_;
  // Of each link, by which time all is delivered that was sent. In order, as a connection keeps it, or not.
  std::map<std::pair<MemberId, MemberId>, Duration> busy_until_;
  bool in_order_ = true;
  uint64_t lost_permille_ = 0, repeated_permille_ = 0, slow_permille_ = 0;
};

}  // namespace quorate::sim

// The simulated network: loses, repeats, delays, reorders and cuts. Messages travel as the bytes they would
// be.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <utility>

#include "raft/messages.h"
#include "sim/world.h"

namespace quorate::sim {

class Network {
 public:
  explicit Network(World& world) : world_(world) { DrawWeather(); }

  void Attach(MemberId member, std::function<void(raft::Message)> receive);
  void Send(const raft::Message& message);

  void Cut(MemberId from, MemberId to) { cut_.emplace(from, to); }
  void Isolate(MemberId member);
  void Heal() { cut_.clear(); }
  void DrawWeather();  // how much is lost and how long the rest takes, from now on
  void Calm();         // nothing is lost any more

 private:
  Duration Delay();

  World& world_;
  std::map<MemberId, std::function<void(raft::Message)>> receivers_;
  std::set<std::pair<MemberId, MemberId>> cut_;
  uint64_t lost_permille_ = 0, repeated_permille_ = 0, slow_permille_ = 0;
};

}  // namespace quorate::sim

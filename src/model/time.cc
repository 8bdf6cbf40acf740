// Clocks. True time goes on for all at once; a clock that deviates skips a tick or gains one.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {
namespace {

uint8_t Left(uint8_t left, int ticks) { return static_cast<uint8_t>(std::max(0, left - ticks)); }
uint8_t Age(uint8_t age, int ticks, int most) { return static_cast<uint8_t>(std::min(most, age + ticks)); }

}  // namespace

void LeaseModel::Ticks(const State& state, Steps& out) const {
  int advance[kMembersMax];
  int deviations = 1;
  for (int i = 0; i < Members(); ++i) deviations *= 3;
  for (int choice = 0; choice < deviations; ++choice) {
    bool allowed = true;
    for (int i = 0, rest = choice; i < kMembersMax; ++i, rest /= 3) {
      const int deviation = i < Members() ? rest % 3 : 0;
      advance[i] = deviation == 0 ? 1 : deviation == 1 ? 0 : 2;
      if (deviation != 0 && state.members[i].deviations == options_.bounds.drift) allowed = false;
    }
    if (!allowed) continue;
    State next = Tick(state, advance);
    Action action{Action::Kind::kTick};
    action.member = static_cast<uint8_t>(advance[0]);
    action.other = static_cast<uint8_t>(advance[1]);
    action.index = static_cast<uint8_t>(advance[2]);
    Push(out, action, next);
    if (options_.bounds.drift == 0) return;
  }
}

LeaseModel::State LeaseModel::Tick(const State& state, const int (&advance)[kMembersMax]) const {
  State next = state;
  const int lease = options_.bounds.lease;
  for (int i = 0; i < Members(); ++i) {
    Member& member = next.members[i];
    if (advance[i] != 1) ++member.deviations;
    member.lease_left = Left(member.lease_left, advance[i]);
    member.answered_age = Age(member.answered_age, advance[i], wait_);
    member.wait_left = Left(member.wait_left, advance[i]);
    if (member.round_open) member.round_age = Age(member.round_age, advance[i], lease);
    for (int j = 0; j < Members(); ++j) {
      Peer& peer = member.peers[j];
      peer.grant_left = Left(peer.grant_left, advance[i]);
      if (peer.stage == Stage::kNone) continue;
      peer.age_leader = Age(peer.age_leader, advance[i], wait_);
      peer.age_holder = Age(peer.age_holder, advance[j], lease);
    }
  }
  for (Message& message : next.messages) {
    if (!message.has_stamp) continue;
    const int holder = message.kind == Message::Kind::kAppend ? message.to : message.from;
    message.age_holder = Age(message.age_holder, advance[holder], lease);
    if (message.kind == Message::Kind::kReply)
      message.age_leader = Age(message.age_leader, advance[message.to], wait_);
  }
  return next;
}

}  // namespace quorate::model

// Reads of the one register. Its value is named by the index of the last write: a larger one is newer.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {

// What a read that began when `must` was acknowledged, or had been returned, gives to its client.
void LeaseModel::Return(State& state, int value, int must) const {
  if (value < must)
    Flag(state, value < std::min<int>(must, state.acknowledged) ? Property::kAcknowledgedSeen
                                                                : Property::kNoInversion);
  if (value > std::max(state.acknowledged, state.seen)) state.seen = static_cast<uint8_t>(value);
}

// Where follower_commit is off a follower's read is answered as soon as its target is committed: sooner than
// the follower can learn of it, and later is never older.
int LeaseModel::ReadValue(const State& state, int member) const {
  const Member& self = state.members[member];
  const bool knows = self.role == Role::kLeader || options_.bounds.follower_commit;
  return LastWrite(self.log, knows ? self.commit : CommonPrefix(self.log, state.committed));
}

// Does the look-up touch a pending change?
bool LeaseModel::MustWait(const State& state, int member) const {
  const Member& self = state.members[member];
  return LastWrite(self.log, Length(self.log)) > ReadValue(state, member) && !Is(Mutant::kIgnorePending);
}

// Check, capture and answer in one step. It only has to be a step where the value is newer than every
// acknowledged one (never, in the protocol itself); that none returns too old a value is StaleRead, looked at
// in every state.
void LeaseModel::Reads(const State& state, Steps& out) const {
  for (uint8_t i = 0; i < Members(); ++i) {
    const int value = ReadValue(state, i);
    if (state.members[i].lease_left == 0 || MustWait(state, i)) continue;
    if (value <= std::max(state.acknowledged, state.seen)) continue;
    State next = state;
    Return(next, value, 0);
    Push(out, {Action::Kind::kRead, i}, next);
  }
  if (options_.bounds.paused_reads) PausedReads(state, out);
}

// READ with a thread that may sleep between any two steps: 1 check the lease, 2 capture the view, 3 answer,
// or wait until applied >= target and answer from that view.
void LeaseModel::PausedReads(const State& state, Steps& out) const {
  const uint8_t must = std::max(state.acknowledged, state.seen);
  const bool captures_first = Is(Mutant::kCaptureThenCheck);
  if (state.read.step == Read::Step::kNone) {
    for (uint8_t i = 0; i < Members(); ++i) {
      const Member& self = state.members[i];
      State next = state;
      next.read = {captures_first ? Read::Step::kCaptured : Read::Step::kChecked, i, must};
      if (captures_first) {
        const int value = ReadValue(state, i);
        if (MustWait(state, i) || value >= must) continue;
        next.read.target = static_cast<uint8_t>(value);
      } else if (self.lease_left == 0 || must == 0) {
        continue;  // before the first acknowledgement nothing is too old
      }
      Push(out, {captures_first ? Action::Kind::kCapture : Action::Kind::kCheck, i}, next);
    }
    return;
  }
  const Member& self = state.members[state.read.member];
  State next = state;
  next.read = {};
  if (captures_first) {
    if (self.lease_left == 0) return;
    Return(next, state.read.target, state.read.must);
    return Push(out, {Action::Kind::kAnswer, state.read.member}, next);
  }
  const int newest = LastWrite(self.log, Length(self.log));
  if (state.read.step == Read::Step::kChecked) {
    if (MustWait(state, state.read.member)) {
      next.read = state.read;
      next.read.step = Read::Step::kCaptured;
      next.read.target = static_cast<uint8_t>(newest);
      next.read.target_code = static_cast<uint8_t>(CodeAt(self.log, newest));
    } else {
      Return(next, newest, state.read.must);
    }
    return Push(out, {Action::Kind::kCapture, state.read.member}, next);
  }
  const bool truncated = CodeAt(self.log, state.read.target) != state.read.target_code;
  if (!truncated && ReadValue(state, state.read.member) < state.read.target) return;
  // Truncated: READ again. That check comes later, when no less is acknowledged, and is explored as a read of
  // its own.
  if (!truncated) Return(next, ReadValue(state, state.read.member), state.read.must);
  Push(out, {Action::Kind::kAnswer, state.read.member}, next);
}

}  // namespace quorate::model

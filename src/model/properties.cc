// What must hold. Flags are set by the step that breaks a property; invariants are looked at in every state.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {

void LeaseModel::Flag(State& state, Property property) const {
  if (state.violated == Property::kNone && (options_.properties >> static_cast<int>(property) & 1))
    state.violated = property;
}

// Would a read that begins and ends now, at any member, return too old a value?
Property LeaseModel::StaleRead(const State& state) const {
  for (int i = 0; i < Members(); ++i) {
    if (state.members[i].lease_left == 0 || MustWait(state, i) || Is(Mutant::kCaptureThenCheck)) continue;
    const int value = ReadValue(state, i);
    if (value < state.acknowledged) return Property::kAcknowledgedSeen;
    if (value < state.seen) return Property::kNoInversion;
  }
  return Property::kNone;
}

Property LeaseModel::Invariant(const State& state) const {
  const auto wanted = [&](Property p) { return (options_.properties >> static_cast<int>(p) & 1) != 0; };
  if (const Property stale = StaleRead(state); stale != Property::kNone && wanted(stale)) return stale;
  int durable = 0;
  for (int i = 0; i < Members(); ++i) {
    const Member& self = state.members[i];
    if (!IsPrefix(Prefix(self.log, self.commit), state.committed) && wanted(Property::kStateMachineSafety))
      return Property::kStateMachineSafety;
    if (self.lease_left > 0 && !IsPrefix(state.committed, self.log) && wanted(Property::kLeaseCovers))
      return Property::kLeaseCovers;
    durable += IsPrefix(state.committed, self.durable) ? 1 : 0;
  }
  return durable < 2 && wanted(Property::kNothingLost) ? Property::kNothingLost : Property::kNone;
}

std::optional<std::string> LeaseModel::Violated(const State& state) const {
  const Property property = state.violated != Property::kNone ? state.violated : Invariant(state);
  if (property == Property::kNone) return std::nullopt;
  return std::string(NameOf(property));
}

uint32_t VisibleProperties() {
  uint32_t mask = ~0u;
  for (const Property inner : {Property::kGate, Property::kLeaseCovers})
    mask &= ~(1u << static_cast<int>(inner));
  return mask;
}

}  // namespace quorate::model

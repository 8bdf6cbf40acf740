#include "model/lease_model.h"

namespace quorate::model {

// Member 1 leads term 1 with everyone's vote and its wait is over, nothing else has happened: by the symmetry
// of the members and because there was no lease before it, every run comes by a state that differs from this
// one only in who leads.
LeaseModel::State LeaseModel::Initial() const {
  State state{};
  for (int i = 0; i < Members(); ++i) {
    state.members[i].term = state.members[i].vote = 1;
    state.members[i].answered_age = static_cast<uint8_t>(wait_);
  }
  state.members[0].role = Role::kLeader;
  state.members[0].log = Append(0, 1, false);
  state.led = 1 << 1;
  Reduce(state);
  return state;
}

void LeaseModel::Successors(const State& state, Steps& out) const {
  const size_t first = out.size();
  Reads(state, out);
  for (const Message& message : state.messages) {
    const Action receive{.kind = Action::Kind::kReceive, .member = message.to, .message = message};
    if (message.kind == Message::Kind::kAppend) DeliverAppend(receive, state, message, out);
    if (message.kind == Message::Kind::kReply) DeliverReply(receive, state, message, out);
  }
  for (uint8_t i = 0; i < Members(); ++i) {
    if (state.members[i].role == Role::kLeader) LeaderSteps(state, i, out);
    if (state.members[i].durable == state.members[i].log) continue;
    State next = state;
    next.members[i].durable = next.members[i].log;
    Push(out, {Action::Kind::kSync, i}, next);
  }
  Elections(state, out);
  LeaveBehind(state, first, out);
  Ticks(state, out);
}

}  // namespace quorate::model

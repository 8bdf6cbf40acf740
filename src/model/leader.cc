// The leader: rounds, grants, appends, the gate.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {

// lease_dead(j) = now > grant_until[j] && (now > elected_at + T_wait || j not in PH). (No revokes in the
// model.)
bool LeaseModel::LeaseDead(const Member& leader, int other) const {
  return leader.peers[other].grant_left == 0 && (leader.wait_left == 0 || !(leader.potential >> other & 1));
}

// try_commit: for every other j (all are eligible): recv_match[j] >= N || lease_dead(j).
bool LeaseModel::GateOpen(const Member& leader, int self, int index) const {
  for (int j = 0; j < Members(); ++j) {
    if (j != self && leader.peers[j].recv < index && !LeaseDead(leader, j)) return false;
  }
  return true;
}

// try_commit: the largest N > commitIndex of this term that is durable at a quorum and passes the gate. Here
// any such N: what the leader knows grows in larger steps than a real one's, which might have stopped
// between.
void LeaseModel::Commits(const State& state, int leader, Steps& out) const {
  const Member& self = state.members[leader];
  const int own_match = CommonPrefix(self.log, self.durable);
  for (int n = Length(self.log); n > self.commit && TermAt(self.log, n) == self.term; --n) {
    int durable = own_match >= n ? 1 : 0;
    for (int j = 0; j < Members(); ++j) durable += j != leader && self.peers[j].match >= n ? 1 : 0;
    const bool gated = !Is(Mutant::kNoGate) && !Is(Mutant::kGateOnlyAck);
    if (durable < 2 || (gated && !GateOpen(self, leader, n))) continue;
    State next = state;
    next.members[leader].commit = static_cast<uint8_t>(n);
    const Log committed = Prefix(self.log, n);
    if (!IsPrefix(state.committed, committed) && !IsPrefix(committed, state.committed))
      Flag(next, Property::kStateMachineSafety);
    if (Length(committed) > Length(state.committed)) {
      next.committed = committed;
      next.committed_term = self.term;
    }
    // The client is told at once: the earliest it may be.
    if (!Is(Mutant::kGateOnlyAck))
      next.acknowledged = static_cast<uint8_t>(std::max<int>(next.acknowledged, LastWrite(committed, n)));
    for (int j = 0; j < Members(); ++j) {
      if (state.members[j].lease_left > 0 && !IsPrefix(committed, state.members[j].log))
        Flag(next, Property::kGate);
    }
    Action action{Action::Kind::kCommit, static_cast<uint8_t>(leader)};
    action.index = static_cast<uint8_t>(n);
    Push(out, action, next);
  }
}

void LeaseModel::Confirm(State& state, int leader) const {
  Member& self = state.members[leader];
  // The leader's own lease: s_confirmed + T_grant.
  self.lease_left =
      static_cast<uint8_t>(std::max<int>(self.lease_left, options_.bounds.lease - self.round_age));
  self.round_open = self.round_age = 0;
  for (Peer& peer : self.peers) {
    if (peer.stage == Stage::kInRound) peer.stage = Stage::kConfirmed;
  }
}

// A higher incarnation of j: the old process is dead, and so is its lease. The first reply that this leader
// has of j is not known to be higher.
void LeaseModel::LearnIncarnation(Member& leader, int other, int incarnation) const {
  Peer& peer = leader.peers[other];
  if (peer.incarnation != 0 && incarnation + 1 > peer.incarnation) {
    // "match verified anew"; what was durable there still is, and a leader that knows it can do more.
    peer = {.match = options_.bounds.plain ? uint8_t{0} : peer.match};
    leader.potential = static_cast<uint8_t>(leader.potential & ~(1 << other));
  }
  peer.incarnation = static_cast<uint8_t>(incarnation + 1);
}

bool LeaseModel::DeliverReply(const Action& action, const State& state, const Message& message,
                              Steps& out) const {
  const Member& before = state.members[message.to];
  if (before.role != Role::kLeader) return false;
  State next = state;
  Member& self = next.members[message.to];
  if (message.term != before.term) {  // ignored, unless the mutant lets it confirm a round
    if (!Is(Mutant::kOldTermReplies) || message.term > before.term || !before.round_open) return false;
    Confirm(next, message.to);
    Push(out, action, next);
    return true;
  }
  Peer& peer = self.peers[message.from];
  if (message.incarnation + 1 < peer.incarnation) return false;  // of a process that is known to be dead
  LearnIncarnation(self, message.from, message.incarnation);
  peer.recv = std::max(peer.recv, message.recv);
  peer.match = std::max(peer.match, message.match);
  // With its own answer this one makes a quorum, of two and of three members.
  if (message.newest_round && self.round_open) Confirm(next, message.to);
  // The model's leader has one echo of each member; it may prefer the one that is already in a round.
  const bool newer =
      message.has_stamp && (peer.stage == Stage::kNone || message.age_holder < peer.age_holder);
  if (newer) {
    State taken = next;
    Peer& place = taken.members[message.to].peers[message.from];
    place.stage = Stage::kHeld;
    place.age_holder = message.age_holder;
    place.age_leader = message.age_leader;
    place.echo_of = message.incarnation;
    Push(out, action, taken);
  }
  if (!newer || peer.stage != Stage::kNone) Push(out, action, next);
  return true;
}

void LeaseModel::Send(const State& state, const Message& message, Steps& out) const {
  Message late = message;
  if (!options_.bounds.plain) late.newest_round = 0;
  // Without a grant a leader may as well send it again when it is to arrive: LeaveBehind.
  if (options_.bounds.plain || message.has_stamp)
    PushSending(out, {.kind = Action::Kind::kSend, .member = message.from, .message = late}, state, late);
  DeliverAppend({.kind = Action::Kind::kExchange, .member = message.to, .message = message}, state, message,
                out);
}

// AppendEntries to one member. Which entries it carries: any number beyond what the member is known to have.
// A grant is attached, or not: rules (c) and (d) are reasons not to, and so it is left open.
void LeaseModel::Appends(const State& state, int leader, int other, Steps& out) const {
  const Member& self = state.members[leader];
  const Peer& peer = self.peers[other];
  const int floor = std::max<int>(FirstOfTerm(self.log, self.term), self.commit);
  const bool quorum =
      peer.stage == Stage::kConfirmed || (Is(Mutant::kNoQuorumConfirm) && peer.stage != Stage::kNone);
  for (int n = peer.match; n <= Length(self.log); ++n) {
    Message message{Prefix(self.log, n),          Message::Kind::kAppend,      self.term,
                    static_cast<uint8_t>(leader), static_cast<uint8_t>(other), self.round_open};
    if (options_.bounds.follower_commit) message.commit = static_cast<uint8_t>(std::min<int>(self.commit, n));
    Send(state, message, out);
    // (b): every entry <= F has been sent; the holder enforces it too.
    if (!quorum || (n < floor && !Is(Mutant::kNoFloor))) continue;
    message.has_stamp = 1;
    message.age_holder = peer.age_holder;
    message.incarnation = peer.echo_of;
    message.floor = static_cast<uint8_t>(Is(Mutant::kNoFloor) ? 0 : floor);
    State granted = state;
    Peer& holder = granted.members[leader].peers[other];
    // grant_until[j] = max(., echo.received + T_wait) before the message leaves. Counted here from the
    // sending of the echo: no later than its receipt, so the model's gate opens no later than the real one.
    holder.grant_left =
        static_cast<uint8_t>(std::max<int>(holder.grant_left, std::max(0, wait_ - peer.age_leader)));
    Send(granted, message, out);
  }
}

// A new round: s_k = now; echo_at_round[k] = copy(echo). The one before it is given up if it was open.
void LeaseModel::BeginRound(const State& state, int leader, Steps& out) const {
  const Member& self = state.members[leader];
  bool answerable = false;  // could anyone still answer this term?
  for (int j = 0; j < Members(); ++j) answerable |= j != leader && state.members[j].term <= self.term;
  const bool confirmed_otherwise = Is(Mutant::kNoQuorumConfirm) || Is(Mutant::kOldTermReplies);
  if (!answerable && !confirmed_otherwise) return;
  State next = state;
  Member& begun = next.members[leader];
  begun.round_open = 1;
  begun.round_age = begun.answered_age = 0;
  for (Peer& peer : begun.peers) {
    if (peer.stage == Stage::kHeld) peer.stage = Stage::kInRound;
  }
  for (Message& message : next.messages) {
    if (message.term == self.term && (message.from == leader || message.to == leader))
      message.newest_round = 0;
  }
  if (Is(Mutant::kNoQuorumConfirm)) begun.lease_left = static_cast<uint8_t>(options_.bounds.lease);
  Push(out, {Action::Kind::kRound, static_cast<uint8_t>(leader)}, next);
}

void LeaseModel::LeaderSteps(const State& state, int leader, Steps& out) const {
  const Member& self = state.members[leader];
  const uint8_t id = static_cast<uint8_t>(leader);
  if (state.writes < options_.bounds.writes && Length(self.log) < kLogEntriesMax) {
    State next = state;
    next.members[leader].log = Append(self.log, self.term, true);
    ++next.writes;
    Push(out, {Action::Kind::kPropose, id}, next);
  }
  BeginRound(state, leader, out);
  for (int j = 0; j < Members(); ++j) {
    if (j != leader) Appends(state, leader, j, out);
  }
  Commits(state, leader, out);
  if (Is(Mutant::kGateOnlyAck)) {
    const int write = LastWrite(self.log, self.commit);
    if (write <= state.acknowledged || !GateOpen(self, leader, write)) return;
    State told = state;
    told.acknowledged = static_cast<uint8_t>(write);
    Push(out, {Action::Kind::kAcknowledge, id}, told);
  }
}

}  // namespace quorate::model

// What may be left out: messages that can no longer change anything, and states that differ only by the names
// of members.
#include <algorithm>
#include <cstring>

#include "model/lease_model.h"

namespace quorate::model {
namespace {

// With members 2 and 3 exchanged. Nothing in the protocol depends on a name, and in the first state the two
// are alike.
LeaseState Exchanged(const LeaseState& state) {
  static constexpr uint8_t kOther[kMembersMax] = {0, 2, 1};
  const auto bits = [](uint8_t set) {
    return static_cast<uint8_t>((set & ~6u) | (set & 2u) << 1 | (set & 4u) >> 1);
  };
  LeaseState other = state;
  std::swap(other.members[1], other.members[2]);
  for (Member& member : other.members) {
    if (member.vote != 0) member.vote = static_cast<uint8_t>(kOther[member.vote - 1] + 1);
    member.potential = bits(member.potential);
    std::swap(member.peers[1], member.peers[2]);
  }
  for (Message& message : other.messages) {
    if (message.kind == Message::Kind::kNone) continue;
    message.from = kOther[message.from];
    message.to = kOther[message.to];
  }
  if (other.read.step != Read::Step::kNone) other.read.member = kOther[other.read.member];
  return other;
}

void OrderMessages(LeaseState& state) {
  std::sort(state.messages.begin(), state.messages.end(), std::greater<>());
}

}  // namespace

void LeaseModel::Push(Steps& out, const Action& action, State& state) const {
  Reduce(state);
  out.emplace_back(action, state);
}

void LeaseModel::PushSending(Steps& out, const Action& action, const State& state,
                             const Message& message) const {
  State base = state;
  Reduce(base);
  for (int pass = 0; pass < 2; ++pass) {
    for (int i = 0; i < options_.bounds.messages; ++i) {
      if (pass == 0 && base.messages[i].kind != Message::Kind::kNone) continue;
      State next = base;
      next.messages[i] = message;
      Push(out, action, next);
      if (pass == 0) return;
    }
  }
}

// Without effect whenever it is delivered from now on, so that it may as well be lost.
bool LeaseModel::IsUseless(const State& state, const Message& message) const {
  const Member& to = state.members[message.to];
  if (message.kind == Message::Kind::kAppend) {
    const Member& from = state.members[message.from];
    const bool may_come_again = from.role == Role::kLeader && from.term == message.term;
    return message.term < to.term || (!options_.bounds.plain && !message.has_stamp && may_come_again);
  }
  if (Is(Mutant::kOldTermReplies) && (message.term < to.term || to.role != Role::kLeader)) return false;
  if (to.role != Role::kLeader || message.term != to.term) return true;
  const Peer& peer = to.peers[message.from];
  if (message.incarnation + 1 < peer.incarnation) return true;
  if (message.incarnation + 1 > peer.incarnation || message.newest_round) return false;
  // An echo that expires, and then is newer again than none, is of no use either.
  const bool newer_echo =
      message.has_stamp && (peer.stage == Stage::kNone || message.age_holder < peer.age_holder);
  return message.recv <= peer.recv && message.match <= peer.match && !newer_echo;
}

// A candidate whom nobody can elect is a follower, and a vote that nobody can ask for any more is none.
void LeaseModel::ReduceVote(State& state, int self) const {
  Member& member = state.members[self];
  bool electable = false, asked = false;
  for (int j = 0; j < Members(); ++j) {
    const Member& other = state.members[j];
    if (j == self) continue;
    asked |= other.term < member.term || (other.term == member.term && other.role == Role::kCandidate);
    electable |= other.term < member.term ||
                 (other.term == member.term && (other.vote == 0 || other.vote == self + 1)) ||
                 Is(Mutant::kForgetVote);
  }
  if (member.role == Role::kCandidate && !electable) member.role = Role::kFollower;
  if (member.role != Role::kCandidate && !asked) member.vote = 0;
}

void LeaseModel::Reduce(State& state) const {
  const int lease = options_.bounds.lease;
  if (state.seen <= state.acknowledged) state.seen = 0;
  for (int i = 0; i < Members(); ++i) ReduceVote(state, i);
  for (Member& member : state.members) {
    if (!options_.bounds.fast_failover) member.answered_age = 0;
    if (member.role != Role::kLeader && !options_.bounds.follower_commit) member.commit = 0;
    // What is durable matters to crashes, and to commits, which an instant sync only makes sooner.
    if (state.crashes == options_.bounds.crashes) member.durable = member.log;
    if (member.role != Role::kLeader) continue;
    if (member.wait_left == 0) member.potential = 0;
    bool echo_in_round = false;
    for (Peer& peer : member.peers) {
      if (options_.bounds.crashes == 0) peer.incarnation = 0;
      if (peer.age_holder >= lease && !Is(Mutant::kLeaseFromReceipt)) {
        peer.stage = Stage::kNone;
        peer.age_holder = peer.age_leader = peer.echo_of = 0;
      }
      echo_in_round |= peer.stage == Stage::kInRound;
    }
    // There is nothing left that the round could confirm: no stamp, and no lease of the leader's own beyond
    // what it has.
    if (lease - member.round_age <= member.lease_left && !echo_in_round)
      member.round_open = member.round_age = 0;
  }
  for (Message& message : state.messages) {
    if (message.kind == Message::Kind::kNone) continue;
    const bool append = message.kind == Message::Kind::kAppend;
    const Member& leader = state.members[append ? message.from : message.to];
    if (leader.role != Role::kLeader || leader.term != message.term || !leader.round_open)
      message.newest_round = 0;
    const bool ageless = Is(Mutant::kLeaseFromReceipt) || (append && Is(Mutant::kNoIncarnationCheck));
    const bool expired = message.age_holder >= lease && !ageless;
    const bool foreign = append && message.incarnation != state.members[message.to].incarnation &&
                         !Is(Mutant::kNoIncarnationCheck);
    if (message.has_stamp && (expired || foreign)) {
      message.has_stamp = message.age_holder = message.age_leader = message.floor = 0;
      if (append) message.incarnation = 0;
    }
    if (IsUseless(state, message)) message = {};
  }
  for (size_t i = 1; i < state.messages.size(); ++i) {
    if (std::find(state.messages.begin(), state.messages.begin() + i, state.messages[i]) !=
        state.messages.begin() + i)
      state.messages[i] = {};
  }
}

void LeaseModel::Canonicalize(State& state) const {
  OrderMessages(state);
  if (Members() < 3) return;
  State other = Exchanged(state);
  OrderMessages(other);
  if (std::memcmp(&other, &state, sizeof state) < 0) state = other;
}

}  // namespace quorate::model

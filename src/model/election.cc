// Elections, terms, crashes. Raft section 5.2; PreVote, stickiness and CheckQuorum only make elections rarer,
// and here one may begin at any time.
#include <algorithm>

#include "model/lease_model.h"

namespace quorate::model {
namespace {

void ForgetLeadership(Member& member) {
  member.role = Role::kFollower;
  member.wait_left = member.potential = member.round_open = member.round_age = 0;
  member.peers = {};
}

}  // namespace

void LeaseModel::AdoptTerm(State& state, int member, int term) const {
  Member& self = state.members[member];
  self.term = static_cast<uint8_t>(term);
  self.vote = 0;
  ForgetLeadership(self);
}

// What is in memory is gone; term, vote and what was synced stay. The clock starts anew, and so the
// incarnation is higher.
void LeaseModel::Crash(State& state, int member) const {
  Member& self = state.members[member];
  ForgetLeadership(self);
  self.log = self.durable;
  self.commit = 0;
  self.lease_left = 0;
  if (Is(Mutant::kForgetVote)) self.vote = 0;
  // "at most its own uptime"
  self.answered_age = static_cast<uint8_t>(Is(Mutant::kUptimeIgnored) ? wait_ : 0);
  ++self.incarnation;
  ++state.crashes;
  if (state.read.step != Read::Step::kNone && state.read.member == member) state.read = {};
}

// become_leader: elected_at = now; grant_until[*] = -inf; PH = everyone eligible (here: all); append the
// no-op.
void LeaseModel::Lead(State& state, int candidate, int voter) const {
  Member& self = state.members[candidate];
  if (state.led >> self.term & 1) Flag(state, Property::kElectionSafety);
  state.led = static_cast<uint8_t>(state.led | 1 << self.term);
  if (state.committed_term < self.term && !IsPrefix(state.committed, self.log))
    Flag(state, Property::kLeaderCompleteness);
  ForgetLeadership(self);
  self.role = Role::kLeader;
  self.wait_left = static_cast<uint8_t>(wait_);
  // From the latest of the answers that a quorum of voters, itself included, gave to older terms.
  if (options_.bounds.fast_failover)
    self.wait_left =
        static_cast<uint8_t>(wait_ - std::min(self.answered_age, state.members[voter].answered_age));
  self.potential = static_cast<uint8_t>(((1 << Members()) - 1) & ~(1 << candidate));
  if (Is(Mutant::kNoWait)) self.potential = 0;
  if (self.wait_left == 0) self.potential = 0;
  self.log = Append(self.log, self.term, false);
}

// What a leader sent without a grant may arrive after its end. While it leads it could as well send the same
// again, with no less effect, at the moment of arrival; so such a message need be in flight only from that
// end on.
void LeaseModel::LeaveBehind(const State& before, size_t first, Steps& out) const {
  if (options_.bounds.plain || options_.bounds.messages == 0) return;
  for (size_t step = first, end = out.size(); step < end; ++step) {
    const auto [action, after] = out[step];
    for (uint8_t i = 0; i < Members(); ++i) {
      const Member& leader = before.members[i];
      if (leader.role != Role::kLeader ||
          (after.members[i].role == Role::kLeader && after.members[i].term == leader.term))
        continue;
      for (uint8_t j = 0; j < Members(); ++j) {
        for (int n = leader.peers[j].match; j != i && n <= Length(leader.log); ++n) {
          Message message{Prefix(leader.log, n), Message::Kind::kAppend, leader.term, i, j};
          if (options_.bounds.follower_commit)
            message.commit = static_cast<uint8_t>(std::min<int>(leader.commit, n));
          PushSending(out, action, after, message);
        }
      }
    }
  }
}

void LeaseModel::Elections(const State& state, Steps& out) const {
  for (uint8_t i = 0; i < Members(); ++i) {
    const Member& self = state.members[i];
    // An election timeout; a leader first steps down (CheckQuorum, or it hands over).
    if (self.term < options_.bounds.terms) {
      State next = state;
      AdoptTerm(next, i, self.term + 1);
      Member& candidate = next.members[i];
      candidate.role = Role::kCandidate;
      candidate.vote = static_cast<uint8_t>(i + 1);
      Push(out, {Action::Kind::kCampaign, i}, next);
    }
    // Any request or refusal of a higher term; candidates and leaders send to all.
    for (uint8_t j = 0; j < Members(); ++j) {
      if (state.members[j].term <= self.term) continue;
      State next = state;
      AdoptTerm(next, i, state.members[j].term);
      Push(out, {Action::Kind::kAdoptTerm, i, j}, next);
    }
    // One vote beside its own is a quorum, and the candidate leads from that moment: later is only a leader
    // that is idle. A vote that does not reach it is a voter that learned of the term and gave none.
    for (uint8_t j = 0; j < Members(); ++j) {
      const Member& voter = state.members[j];
      if (self.role != Role::kCandidate || j == i || voter.term > self.term) continue;
      if (voter.term == self.term && voter.vote != 0 && voter.vote != i + 1) continue;
      if (!UpToDate(self.log, voter.log)) continue;
      State next = state;
      if (voter.term < self.term) AdoptTerm(next, j, self.term);
      next.members[j].vote = static_cast<uint8_t>(i + 1);
      Lead(next, i, j);
      Push(out, {Action::Kind::kElect, i, j}, next);
    }
    if (state.crashes < options_.bounds.crashes) {
      State next = state;
      Crash(next, i);
      Push(out, {Action::Kind::kCrash, i}, next);
    }
  }
}

}  // namespace quorate::model

// The protocol of gated-commit read leases (docs/design/0005-lease-model.md) as a transition system.
//
// Every step of every member is optional, so nothing is assumed about speed: a member that does nothing for a
// while is a slow one, a message that is never delivered is lost, one that stays in flight after its delivery
// comes again.
#pragma once

#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/lease_state.h"
#include "model/options.h"

namespace quorate::model {

class LeaseModel {
 public:
  using State = LeaseState;
  using Action = model::Action;
  using Steps = std::vector<std::pair<Action, State>>;

  explicit LeaseModel(const Options& options) : options_(options), wait_(options.Wait()) {}

  State Initial() const;
  void Successors(const State& state, Steps& out) const;
  // Orders the messages, and names members 2 and 3 so that the state is the smaller of the two.
  void Canonicalize(State& state) const;
  std::optional<std::string> Violated(const State& state) const;
  std::string Describe(const State& before, const Action& action) const {
    return model::Describe(before, action);
  }
  std::string Describe(const State& state) const { return model::Describe(state, options_.bounds.members); }

 private:
  bool Is(Mutant mutant) const { return options_.mutant == mutant; }
  int Members() const { return options_.bounds.members; }
  // Appends a successor, without the messages that can no longer change anything.
  void Push(Steps& out, const Action& action, State& state) const;
  // The same with one more message late: in a free place, or else in that of any other, which is lost.
  void PushSending(Steps& out, const Action& action, const State& state, const Message& message) const;

  // time.cc
  void Ticks(const State& state, Steps& out) const;
  State Tick(const State& state, const int (&advance)[kMembersMax]) const;
  // election.cc
  void LeaveBehind(const State& before, size_t first, Steps& out) const;
  void Elections(const State& state, Steps& out) const;
  void Lead(State& state, int candidate, int voter) const;
  void Crash(State& state, int member) const;
  void AdoptTerm(State& state, int member, int term) const;
  // leader.cc
  void LeaderSteps(const State& state, int leader, Steps& out) const;
  void BeginRound(const State& state, int leader, Steps& out) const;
  void Send(const State& state, const Message& message, Steps& out) const;
  void Appends(const State& state, int leader, int other, Steps& out) const;
  void Commits(const State& state, int leader, Steps& out) const;
  // False, and nothing appended, if the leader ignores it.
  bool DeliverReply(const Action& action, const State& state, const Message& message, Steps& out) const;
  void LearnIncarnation(Member& leader, int other, int incarnation) const;
  void Confirm(State& state, int leader) const;
  bool LeaseDead(const Member& leader, int other) const;
  bool GateOpen(const Member& leader, int self, int index) const;
  // follower.cc
  void DeliverAppend(const Action& action, const State& state, const Message& message, Steps& out) const;
  void AcceptGrant(Member& holder, const Message& message, int verified) const;
  // reads.cc
  int ReadValue(const State& state, int member) const;
  bool MustWait(const State& state, int member) const;
  void Reads(const State& state, Steps& out) const;
  void PausedReads(const State& state, Steps& out) const;
  void Return(State& state, int value, int must) const;
  // properties.cc
  void Flag(State& state, Property property) const;
  Property Invariant(const State& state) const;
  Property StaleRead(const State& state) const;
  // reduction.cc
  void Reduce(State& state) const;
  void ReduceVote(State& state, int self) const;
  bool IsUseless(const State& state, const Message& message) const;

  const Options options_;
  const int wait_;
};

}  // namespace quorate::model

// Deliberate bugs of membership that random runs hardly ever meet, each on the way that leads to it. Without
// the bug the same way ends well.
#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "raft/codec.h"
#include "raft/lease_world.h"
#include "raft/quorum.h"
#include "sim/with_mutant.h"

namespace quorate::sim {
namespace {

using raft::LeaseWorld;
using std::chrono::milliseconds;
using std::chrono::seconds;

bool IsLeader(LeaseWorld& w, uint64_t id) {
  return w.at(id).up() && w.core(id).role() == raft::Role::kLeader;
}

// `id` leads, and every member's instance is written down.
bool Settle(LeaseWorld& w, uint64_t id) {
  w.Run(seconds(2));
  if (w.leader() == 0) return false;
  if (w.leader() != id) w.Step(w.leader(), raft::TransferLeadership{{id}});
  w.Run(seconds(1));
  return w.leader() == id && std::ranges::all_of(w.configuration(id).members,
                                                 [](const raft::Member& m) { return m.instance != 0; });
}

void CutBetween(LeaseWorld& w, const std::vector<uint64_t>& some, const std::vector<uint64_t>& others) {
  for (uint64_t a : some)
    for (uint64_t b : others) w.Cut(a, b), w.Cut(b, a);
}

void Write(LeaseWorld& w, uint64_t id) {
  w.Step(id, raft::Propose{{{.payload = std::make_shared<const std::string>("x")}}});
}

void MakeVoters(LeaseWorld& w, uint64_t leader, const std::vector<uint64_t>& voters) {
  raft::Configuration c = w.configuration(leader);
  for (raft::Member& m : c.members) m.voter = std::ranges::count(voters, m.id.value) > 0;
  std::erase_if(c.members, [](const raft::Member& m) { return m.leaving; });
  c.outgoing_voters.clear();
  auto payload = std::make_shared<const std::string>(raft::EncodeConfiguration(c));
  w.Step(leader, raft::Propose{{{.type = raft::EntryType::kConfiguration, .payload = payload}}});
  w.Run(milliseconds(20));
}

// Two leaders of one term, or two entries committed in the same place.
bool Diverges(LeaseWorld& w, size_t members) {
  std::map<Term, uint64_t> leaders;
  std::map<LogIndex, Term> committed;
  for (int i = 0; i < 200; ++i) {
    w.Run(2 * LeaseWorld::kStep);
    for (uint64_t id = 1; id <= members; ++id) {
      const raft::Core& core = w.core(id);
      if (IsLeader(w, id)) {
        if (leaders.try_emplace(core.term(), id).first->second != id) return true;
        Write(w, id);
      }
      for (LogIndex at = core.GetStatus().first; at <= core.commit_index(); ++at)
        if (committed.try_emplace(at, *core.TermAt(at)).first->second != core.TermAt(at)) return true;
    }
  }
  return false;
}

// The voters 1, 2 and 3 become 3, 4 and 5 by the word of 3, and 1 and 2 hear nothing of it.
bool ChangesWithoutTheOldMajority(bool again) {
  LeaseWorld w(3, 2, raft::Timing{}, raft::kFeatureLevel);
  EXPECT_TRUE(Settle(w, 3));
  CutBetween(w, {1, 2}, {3, 4, 5});
  MakeVoters(w, 3, {3, 4, 5});
  if (again) MakeVoters(w, 3, {3, 4});
  return Diverges(w, 5);
}

TEST(DirectedMembership, WhateverLeavesTheOldMajorityOutIsCaught) {
  EXPECT_FALSE(ChangesWithoutTheOldMajority(false));
  for (const char* name :
       {"commit-over-the-union", "votes-over-the-union", "no-joint-phase", "joint-left-too-early"}) {
    const WithMutant mutant(name);
    EXPECT_TRUE(ChangesWithoutTheOldMajority(false)) << name;
  }
}

TEST(DirectedMembership, ASecondChangeBeforeTheFirstIsCompleteIsCaught) {
  EXPECT_FALSE(ChangesWithoutTheOldMajority(true));
  const WithMutant mutant("second-change-too-early");
  EXPECT_TRUE(ChangesWithoutTheOldMajority(true));
}

// 1 and 2 have what 3 has not heard of; 2 loses its disk, and 1 dies. True: the vote of 2 elects 3.
bool AnEmptyDiskVotes() {
  LeaseWorld w(3, 0, raft::Timing{}, raft::kFeatureLevel);
  EXPECT_TRUE(Settle(w, 1));
  CutBetween(w, {3}, {1, 2});
  Write(w, 1);
  w.Run(milliseconds(20));
  w.Crash(1);
  w.Heal();
  w.Make({.self = {2}, .seed = 9, .incarnation = 7, .instance = 999},
         {.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}});
  return w.RunUntil([&] { return IsLeader(w, 3); }, seconds(3));
}

TEST(DirectedMembership, AWipedReplicaThatVotesIsCaught) {
  EXPECT_FALSE(AnEmptyDiskVotes());
  const WithMutant mutant("wiped-replica-keeps-its-identity");
  EXPECT_TRUE(AnEmptyDiskVotes());
}

// 2 votes for 3, loses its disk and with it the memory of that vote, and follows 1 in the term before. True:
// 1 commits with its help what 3, elected by that vote, does not have.
bool AForgottenVoteElects() {
  LeaseWorld w(5, 0, raft::Timing{}, raft::kFeatureLevel);
  EXPECT_TRUE(Settle(w, 1));
  const Term term = w.core(1).term();
  CutBetween(w, {1, 5}, {2, 3, 4});
  w.hold = [](const raft::Message& m) {
    return m.to.value == 3 && std::holds_alternative<raft::RequestVoteReply>(m.body);
  };
  w.Deliver({{1}, {3}, term, raft::TimeoutNow{}, 101});
  w.Settle();
  w.Heal();
  CutBetween(w, {1, 5, 2}, {3, 4});
  w.Make({.self = {2}, .seed = 9, .incarnation = 7, .instance = 999, .repairs = 102}, {});
  Write(w, 1);
  const LogIndex written = w.core(1).GetStatus().last;
  if (!w.RunUntil([&] { return w.core(1).commit_index() >= written; }, milliseconds(140))) return false;
  for (const raft::Message& vote : w.held) w.Deliver(vote);
  w.Settle();
  return IsLeader(w, 3) && w.core(3).term() > term && w.core(3).TermAt(written) != term;
}

TEST(DirectedMembership, AMemberThatCountsBeforeItIsRepairedIsCaught) {
  EXPECT_FALSE(AForgottenVoteElects());
  const WithMutant mutant("repairing-member-counts");
  EXPECT_TRUE(AForgottenVoteElects());
}

}  // namespace
}  // namespace quorate::sim

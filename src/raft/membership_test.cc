// Changes of who is a member: the steps, what interrupts them, instances, repair, the feature level.
#include <gtest/gtest.h>

#include <algorithm>

#include "raft/lease_world.h"
#include "raft/quorum.h"

namespace quorate::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Membership : public testing::Test {
 protected:
  void Begin(size_t voters, size_t learners = 0) {
    world.emplace(voters, learners, LanTiming(), kFeatureLevel);
    ASSERT_TRUE(world->RunUntil([&] { return world->Healthy() && Settled(); }, seconds(10)));
  }
  Configuration Now() { return world->configuration(world->leader()); }
  // Committed, complete, and every member's instance is known.
  bool Settled() {
    if (world->leader() == 0) return false;
    const Core& core = world->core(world->leader());
    const Configuration c = Now();
    return core.configuration_index() <= core.commit_index() && c.outgoing_voters.empty() &&
           std::ranges::all_of(c.members, [](const Member& m) { return m.instance != 0 && !m.leaving; });
  }
  bool Reached(const std::function<bool(const Configuration&)>& what, Duration most = seconds(10)) {
    return world->RunUntil([&] { return Settled() && what(Now()); }, most);
  }
  // What an operator asks of the leader.
  bool Ask(const Configuration& target) {
    const uint64_t leader = world->leader();
    const LogIndex before = world->last();
    Propose p{{{.type = EntryType::kConfiguration,
                .payload = std::make_shared<const std::string>(EncodeConfiguration(target))}}};
    world->Step(leader, p);
    return world->last() > before;
  }
  Configuration Without(uint64_t id) {
    Configuration c = Now();
    std::erase_if(c.members, [&](const Member& m) { return m.id.value == id; });
    return c;
  }
  // A process with an empty data directory, which the group is told of.
  Configuration WithNew(uint64_t id, uint64_t replaces = 0) {
    world->Make({.self = {id}, .seed = id, .instance = 100 + id}, {});
    Configuration c = Now();
    c.last_id = {id};
    c.members.push_back({.id = {id},
                         .voter = false,
                         .lease_eligible = false,
                         .promote = true,
                         .replaces = {replaces},
                         .instance = 100 + id});
    return c;
  }
  static bool Votes(const Configuration& c, uint64_t id) {
    const Member* m = FindMember(c, {id});
    return m && m->voter && !m->repairing;
  }

  std::optional<LeaseWorld> world;
};

TEST_F(Membership, TheFeatureLevelRisesAndInstancesAreWrittenDown) {
  Begin(3);
  EXPECT_EQ(Now().feature_level, kFeatureLevel);
  EXPECT_EQ(Now().last_id, MemberId{3});
  for (const Member& m : Now().members) EXPECT_EQ(m.instance, 100 + m.id.value);
}

TEST_F(Membership, OneOldProgramKeepsTheLevelDownAndNothingNewIsWritten) {
  world.emplace(3, 0, LanTiming(), 1);
  world->Make({.self = {1}, .seed = 1, .instance = 101}, world->configuration(1));
  world->Make({.self = {2}, .seed = 2, .instance = 102}, world->configuration(2));
  ASSERT_TRUE(world->RunUntil([&] { return world->Healthy(); }, seconds(10)));
  world->Run(seconds(5));
  EXPECT_EQ(Now().feature_level, 1u);
  EXPECT_LT(EncodeConfiguration(Now())[0], 3);
}

TEST_F(Membership, ALearnerCatchesUpIsPromotedAndHoldsALease) {
  Begin(3);
  for (int i = 0; i < 20; ++i) world->Propose();
  ASSERT_TRUE(Ask(WithNew(4)));
  ASSERT_TRUE(Reached([](const Configuration& c) { return Votes(c, 4); }));
  EXPECT_EQ(world->at(4).state().size(), world->at(world->leader()).state().size());
  EXPECT_TRUE(world->RunUntil([&] { return world->Healthy(); }, seconds(20)));
}

TEST_F(Membership, ALearnerThatDoesNotAnswerIsNotPromoted) {
  Begin(3);
  const Configuration target = WithNew(4);
  world->Crash(4);
  ASSERT_TRUE(Ask(target));
  world->Run(seconds(5));
  EXPECT_FALSE(Votes(Now(), 4));
  EXPECT_EQ(Now().outgoing_voters.size(), 0u);
}

TEST_F(Membership, ALearnerThatDiedWithAllThereWasIsNotPromoted) {
  Begin(3, 1);
  ASSERT_TRUE(world->RunUntil([&] { return world->PeerOf(4).caught_up; }, seconds(5)));
  world->Crash(4);
  world->Run(2 * LanTiming().election_max);
  EXPECT_FALSE(world->PeerOf(4).caught_up);
  Configuration c = Now();
  std::ranges::find(c.members, MemberId{4}, &Member::id)->promote = true;
  ASSERT_TRUE(Ask(c));
  world->Run(seconds(3));
  EXPECT_FALSE(Votes(Now(), 4));
  world->Start(4);
  EXPECT_TRUE(Reached([](const Configuration& now) { return Votes(now, 4); }));
}

TEST_F(Membership, ARemovedMemberHearsOfItAndHasNoLease) {
  Begin(3);
  const uint64_t gone = world->Follower();
  ASSERT_TRUE(world->HoldsLease(gone));
  ASSERT_TRUE(Ask(Without(gone)));
  world->Settle();
  EXPECT_FALSE(world->HoldsLease(gone)) << "asked back before the change is complete";
  ASSERT_TRUE(world->RunUntil([&] { return world->dismissed.contains(gone); }, seconds(2)));
  EXPECT_EQ(world->dismissed[gone], Dismissal::kRemoved);
  EXPECT_EQ(Now().members.size(), 2u);
}

TEST_F(Membership, WritesDoNotStallWhileAHolderIsRemoved) {
  Begin(3);
  ASSERT_TRUE(Ask(Without(world->Follower())));
  world->Run(milliseconds(5));
  world->Propose();
  const LogIndex wanted = world->last();
  EXPECT_TRUE(world->RunUntil([&] { return world->commit() >= wanted; }, milliseconds(100)))
      << "far less than the lease of " << LanTiming().lease.count();
}

TEST_F(Membership, ADeadHolderIsRemovedOnceItsLeaseIsDead) {
  Begin(3);
  const uint64_t dead = world->Follower();
  world->Crash(dead);
  ASSERT_TRUE(Ask(Without(dead)));
  ASSERT_TRUE(Reached([&](const Configuration& c) { return !FindMember(c, {dead}); }, seconds(5)));
}

TEST_F(Membership, OneThatWasAwayIsTurnedAwayWhenItComesBack) {
  Begin(3, 1);
  for (const uint64_t away :
       {world->Follower(0), uint64_t{4}}) {  // a voter, and a learner that never campaigns
    world->Crash(away);
    ASSERT_TRUE(Ask(Without(away)));
    ASSERT_TRUE(Reached([&](const Configuration& c) { return !FindMember(c, {away}); }));
    world->Run(seconds(5));
    const Term term = world->core(world->leader()).term();
    world->Start(away);
    ASSERT_TRUE(world->RunUntil([&] { return world->dismissed.contains(away); }, seconds(5))) << away;
    EXPECT_EQ(world->core(world->leader()).term(), term) << "it disturbed nobody";
  }
}

TEST_F(Membership, OneThatWasAwayHearsItFromALearnerWhereEveryVoterItKnewIsGone) {
  Begin(3, 1);
  const uint64_t away = world->Follower(0);
  world->Crash(away);
  ASSERT_TRUE(Ask(Without(away)));
  ASSERT_TRUE(Reached([&](const Configuration& c) { return !FindMember(c, {away}); }));
  for (uint64_t id = 1; id <= 3; ++id) {
    if (id != away) world->Crash(id);
  }
  world->Start(away);
  EXPECT_TRUE(world->RunUntil([&] { return world->dismissed.contains(away); }, seconds(5)));
}

TEST_F(Membership, ALeaderLeavesAfterCommittingItsOwnRemovalAndNamesASuccessor) {
  Begin(3);
  const uint64_t old = world->leader();
  ASSERT_TRUE(Ask(Without(old)));
  const Duration asked = world->now();
  ASSERT_TRUE(world->RunUntil([&] { return world->leader() != 0 && world->leader() != old; }, seconds(2)));
  EXPECT_LT(world->now() - asked, LanTiming().election_min) << "nobody waited for an election timeout";
  EXPECT_EQ(world->dismissed[old], Dismissal::kRemoved);
  world->Propose();
  const LogIndex wanted = world->last();
  EXPECT_TRUE(world->RunUntil([&] { return world->commit() >= wanted; }, seconds(2)));
}

TEST_F(Membership, ADemotedLeaderGoesOnAsALearner) {
  Begin(3);
  const uint64_t old = world->leader();
  Configuration c = Now();
  std::ranges::find(c.members, MemberId{old}, &Member::id)->voter = false;
  ASSERT_TRUE(Ask(c));
  ASSERT_TRUE(Reached([&](const Configuration& now) { return world->leader() != old && !Votes(now, old); }));
  EXPECT_FALSE(world->dismissed.contains(old));
  EXPECT_TRUE(world->RunUntil([&] { return world->Healthy(); }, seconds(20)));
}

TEST_F(Membership, AReplacementComesInAndTheOldOneGoesInOneStep) {
  Begin(3);
  const uint64_t old = world->Follower();
  world->Crash(old);
  ASSERT_TRUE(Ask(WithNew(4, old)));
  bool in_between = false;
  ASSERT_TRUE(world->RunUntil(
      [&] {
        in_between |= Votes(Now(), 4) && Votes(Now(), old);
        return Settled() && Votes(Now(), 4);
      },
      seconds(10)));
  EXPECT_FALSE(in_between);
  EXPECT_EQ(FindMember(Now(), {old}), nullptr);
}

TEST_F(Membership, OneChangeAtATime) {
  Begin(5);
  const uint64_t gone = world->Follower(0), other = world->Follower(1);
  world->Crash(gone);  // its lease holds the change up
  ASSERT_TRUE(Ask(Without(gone)));
  EXPECT_FALSE(Ask(Without(other)));
  world->Run(milliseconds(50));
  EXPECT_FALSE(Ask(Without(other))) << "committed, but not complete";
  ASSERT_TRUE(Reached([&](const Configuration& c) { return !FindMember(c, {gone}); }));
  EXPECT_TRUE(Ask(Without(other)));
}

TEST_F(Membership, ALaterLeaderCompletesAJointConfiguration) {
  Begin(5);
  const uint64_t old = world->leader(), gone = world->Follower();
  world->Crash(gone);
  ASSERT_TRUE(Ask(Without(gone)));
  world->Run(milliseconds(20));
  ASSERT_FALSE(Now().outgoing_voters.empty());
  world->Crash(old);
  ASSERT_TRUE(Reached([&](const Configuration& c) { return !FindMember(c, {gone}); }));
  EXPECT_NE(world->leader(), old);
}

// Simulator seed 67854: what demotes the follower is in its own log alone, so that nobody else can win.
TEST_F(Membership, WhoAloneHasTheEntryThatTakesItsVoteIsElectedAndCompletesTheChange) {
  Begin(2);
  const uint64_t leader = world->leader(), other = world->Follower();
  Configuration c = Now();
  std::ranges::find(c.members, MemberId{other}, &Member::id)->voter = false;
  ASSERT_TRUE(Ask(c));
  world->hold = [&](const Message& m) {
    const auto* append = std::get_if<AppendEntries>(&m.body);
    for (const LogEntry& e : append ? append->entries : std::vector<LogEntry>())
      if (e.type == EntryType::kConfiguration && DecodeConfiguration(*e.payload)->outgoing_voters.empty())
        world->stuck_disks.insert(leader);
    return false;
  };
  world->Settle();
  ASSERT_TRUE(world->stuck_disks.contains(leader));
  ASSERT_TRUE(world->configuration(other).outgoing_voters.empty());
  world->Crash(leader);
  world->hold = nullptr;
  world->stuck_disks.clear();
  world->Start(leader);
  ASSERT_FALSE(world->configuration(leader).outgoing_voters.empty()) << "it lost the entry";
  ASSERT_TRUE(
      Reached([&](const Configuration& now) { return !Votes(now, other) && world->leader() == leader; }));
}

TEST_F(Membership, AnUncommittedChangeIsRolledBackWithItsEntry) {
  Begin(3);
  const uint64_t old = world->leader(), other = world->Follower();
  world->Isolate(old);
  ASSERT_TRUE(Ask(Without(other)));
  ASSERT_FALSE(world->configuration(old).outgoing_voters.empty());
  ASSERT_TRUE(world->RunUntil([&] { return world->leader() != old && world->leader() != 0; }, seconds(5)));
  world->Heal();
  const auto rolled_back = [&] { return world->configuration(old).outgoing_voters.empty(); };
  ASSERT_TRUE(world->RunUntil([&] { return rolled_back() && world->Healthy(); }, seconds(10)));
  EXPECT_TRUE(Votes(world->configuration(old), other));
}

TEST_F(Membership, AJointConfigurationNeedsAMajorityOfEachHalf) {
  // 1, 2, 3 become 3, 4, 5: with 1 and 2 gone the old half decides nothing, whatever the new one has.
  Configuration c{.outgoing_voters = {{1}, {2}, {3}}};
  for (uint64_t id = 1; id <= 5; ++id) c.members.push_back({.id = {id}, .voter = id >= 3, .leaving = id < 3});
  const auto up = [](std::set<uint64_t> ids) {
    return [ids](MemberId id) { return ids.contains(id.value); };
  };
  EXPECT_FALSE(HasQuorum(c, up({3, 4, 5})));
  EXPECT_FALSE(HasQuorum(c, up({1, 2})));
  EXPECT_TRUE(HasQuorum(c, up({1, 3, 4})));
  EXPECT_EQ(TallyVotes(c, {{{3}, true}, {{4}, true}, {{5}, true}}), VoteOutcome::kPending);
  EXPECT_EQ(TallyVotes(c, {{{3}, true}, {{4}, true}, {{1}, true}}), VoteOutcome::kWon);
}

TEST_F(Membership, AMemberThatIsRepairingMakesNoMajorityAndIsOneOfThoseItIsCountedOf) {
  Configuration c;
  for (uint64_t id = 1; id <= 3; ++id) c.members.push_back({.id = {id}, .repairing = id == 3});
  const auto up = [](std::set<uint64_t> ids) {
    return [ids](MemberId id) { return ids.contains(id.value); };
  };
  EXPECT_TRUE(HasQuorum(c, up({1, 2})));
  EXPECT_FALSE(HasQuorum(c, up({1, 3})));
  EXPECT_EQ(TallyVotes(c, {{{1}, true}, {{3}, true}}), VoteOutcome::kPending);
  EXPECT_EQ(TallyVotes(c, {{{1}, true}, {{2}, false}}), VoteOutcome::kLost);
}

TEST_F(Membership, AWipedReplicaCountsForNothingAndIsTurnedAway) {
  Begin(3);
  const uint64_t wiped = world->Follower(0), other = world->Follower(1);
  for (int i = 0; i < 5; ++i) world->Propose();
  world->Run(milliseconds(100));
  const Configuration first = {.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}};
  world->Make({.self = {wiped}, .seed = 9, .incarnation = 7, .instance = 999}, first);
  world->Crash(other);
  world->Propose();
  const LogIndex not_by_it = world->last();
  const uint64_t leader = world->leader();
  world->Run(milliseconds(150));
  EXPECT_LT(world->core(leader).commit_index(), not_by_it);
  ASSERT_TRUE(world->RunUntil([&] { return world->dismissed.contains(wiped); }, seconds(5)));
  EXPECT_EQ(world->dismissed[wiped], Dismissal::kStranger);
}

TEST_F(Membership, AVoteOfAWipedReplicaElectsNobody) {
  Begin(3);
  const uint64_t old = world->leader(), wiped = world->Follower(0), other = world->Follower(1);
  world->Run(milliseconds(100));
  world->Crash(old);
  world->Make({.self = {wiped}, .seed = 9, .incarnation = 7, .instance = 999},
              {.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}});
  world->Run(seconds(3));
  EXPECT_NE(world->core(other).role(), Role::kLeader);
  EXPECT_NE(world->core(wiped).role(), Role::kLeader);
}

TEST_F(Membership, AMemberThatLostItsLogIsRepairedByTheLeaderWithoutAVoteMeanwhile) {
  Begin(3);
  const uint64_t lost = world->Follower(0), other = world->Follower(1);
  for (int i = 0; i < 5; ++i) world->Propose();
  world->Run(milliseconds(100));
  world->Make({.self = {lost}, .seed = 9, .incarnation = 7, .instance = 999, .repairs = 100 + lost}, {});
  ASSERT_TRUE(world->RunUntil(
      [&] {
        const Member* m = FindMember(Now(), {lost});
        return m && m->instance == 999;
      },
      seconds(5)));
  EXPECT_TRUE(FindMember(Now(), {lost})->repairing);
  EXPECT_TRUE(FindMember(Now(), {lost})->voter);
  ASSERT_TRUE(Reached([&](const Configuration& c) { return Votes(c, lost); }));
  EXPECT_EQ(world->at(lost).state().size(), world->at(world->leader()).state().size());
  EXPECT_TRUE(world->dismissed.empty());
  // And its vote counts again.
  world->Crash(other);
  world->Crash(world->leader());
  world->Start(other);
  EXPECT_TRUE(world->RunUntil([&] { return world->leader() != 0; }, seconds(5)));
}

TEST_F(Membership, WhoLostItsLogDoesNotCountEvenIfNobodyKnewItsInstance) {
  world.emplace(3, 0, LanTiming(), 1);
  ASSERT_TRUE(world->RunUntil([&] { return world->Healthy(); }, seconds(10)));
  const uint64_t lost = world->Follower(0), other = world->Follower(1);
  ASSERT_EQ(FindMember(Now(), {lost})->instance, 0u);
  world->Make({.self = {lost}, .seed = 9, .incarnation = 7, .instance = 999, .repairs = 500}, Now());
  world->Crash(other);
  world->Propose();
  const LogIndex not_by_it = world->last();
  const uint64_t leader = world->leader();
  world->Run(milliseconds(150));
  EXPECT_LT(world->core(leader).commit_index(), not_by_it);
  EXPECT_TRUE(world->dismissed.empty());
}

TEST_F(Membership, TwoWipedReplicasDoNotElectEachOtherOverTheOneThatKnows) {
  Begin(3);
  const uint64_t knows = world->leader(), first = world->Follower(0), second = world->Follower(1);
  world->Propose();
  world->Run(milliseconds(100));
  const Configuration fresh{.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}}};
  world->Make({.self = {first}, .seed = 9, .instance = 998}, fresh);
  world->Make({.self = {second}, .seed = 10, .instance = 999}, fresh);
  world->Run(seconds(3));
  EXPECT_TRUE(world->dismissed.contains(first) && world->dismissed.contains(second));
  EXPECT_EQ(world->core(knows).leader(), MemberId{});
}

TEST_F(Membership, AFarFollowerUnderSteadyWritesIsPromoted) {
  Begin(3);
  ASSERT_TRUE(Ask(WithNew(4)));
  std::deque<std::pair<Duration, Message>> late;
  world->hold = [&](const Message& m) { return m.from == MemberId{4}; };
  // Its answers take longer than a heartbeat, and there is a write in each.
  ASSERT_TRUE(world->RunUntil(
      [&] {
        world->Propose();
        for (Message& m : std::exchange(world->held, {}))
          late.emplace_back(world->now() + 2 * LanTiming().heartbeat, std::move(m));
        for (; !late.empty() && late.front().first <= world->now(); late.pop_front())
          world->Deliver(late.front().second);
        return world->leader() != 0 && Votes(Now(), 4);
      },
      seconds(20)));
}

TEST_F(Membership, OneThatAwaitsRepairGrantsNoVote) {
  Begin(3);
  const uint64_t old = world->leader(), lost = world->Follower(0), other = world->Follower(1);
  world->Crash(old);
  world->Crash(lost);
  world->Make({.self = {lost}, .seed = 9, .incarnation = 7, .instance = 999, .repairs = 100 + lost}, {});
  world->Run(seconds(3));
  EXPECT_NE(world->core(other).role(), Role::kLeader);
  EXPECT_NE(world->core(lost).role(), Role::kLeader);
  EXPECT_TRUE(world->dismissed.empty()) << "nobody leads who could tell";
}

TEST_F(Membership, WhatWasSaidToAnotherDataDirectoryIsIgnored) {
  Begin(3);
  const uint64_t id = world->Follower();
  const Term term = world->core(id).term();
  world->Step(id, Receive{{{world->leader()}, {id}, term, Removed{999}, 100 + world->leader()}});
  EXPECT_TRUE(world->dismissed.empty());
  world->Step(id,
              Receive{{{world->leader()}, {id}, {term.value - 1}, Removed{100 + id}, 100 + world->leader()}});
  EXPECT_TRUE(world->dismissed.empty()) << "of a leader of an older term";
  world->Step(id, Receive{{{world->leader()}, {id}, term, Removed{100 + id}, 100 + world->leader()}});
  EXPECT_TRUE(world->dismissed.contains(id));
}

TEST_F(Membership, AnIdIsNeverGivenTwice) {
  Begin(3);
  ASSERT_TRUE(Ask(WithNew(4)));
  ASSERT_TRUE(Reached([](const Configuration& c) { return Votes(c, 4); }));
  ASSERT_TRUE(Ask(Without(4)));
  ASSERT_TRUE(Reached([](const Configuration& c) { return !FindMember(c, {4}); }));
  EXPECT_EQ(Now().last_id, MemberId{4});
}

}  // namespace
}  // namespace quorate::raft

#include "replica/configure.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

namespace quorate::replica {
namespace {

using std::chrono::milliseconds;

raft::Configuration Three() {
  raft::Configuration c{.timing = raft::LanTiming(), .leases_on = true};
  for (uint64_t id = 1; id <= 3; ++id) c.members.push_back({.id = MemberId{id}});
  return c;
}

TEST(Changed, SwitchingLeasesOffMakesNobodyEligibleAndOnAllThatAreNotBarred) {
  auto off = Changed(Three(), SetLeases{false});
  ASSERT_TRUE(off.ok());
  EXPECT_FALSE(off->leases_on);
  for (const raft::Member& m : off->members) EXPECT_FALSE(m.lease_eligible) << m.id.value;
  auto barred = Changed(*off, SetEligible{MemberId{2}, false});
  ASSERT_TRUE(barred.ok());
  auto on = Changed(*barred, SetLeases{true});
  ASSERT_TRUE(on.ok());
  EXPECT_TRUE(on->members[0].lease_eligible);
  EXPECT_FALSE(on->members[1].lease_eligible);
  EXPECT_TRUE(on->members[2].lease_eligible);
}

TEST(Changed, AMemberIsBarredUntilAnOperatorSaysOtherwise) {
  auto barred = Changed(Three(), SetEligible{MemberId{2}, false});
  ASSERT_TRUE(barred.ok());
  EXPECT_TRUE(barred->members[1].lease_barred);
  EXPECT_FALSE(barred->members[1].lease_eligible);
  auto again = Changed(*barred, SetEligible{MemberId{2}, true});
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, Three());
  EXPECT_EQ(Changed(Three(), SetEligible{MemberId{4}, true}).status().code(),
            absl::StatusCode::kInvalidArgument);
}

TEST(Changed, NobodyIsMadeEligibleWhileLeasesAreOff) {
  auto off = Changed(Three(), SetLeases{false});
  ASSERT_TRUE(off.ok());
  auto allowed = Changed(*off, SetEligible{MemberId{2}, true});
  ASSERT_TRUE(allowed.ok());
  EXPECT_FALSE(allowed->members[1].lease_eligible);
}

TEST(Changed, TheWaitNeverShrinksBelowWhatLeasesAreGrantedFor) {
  raft::Timing timing = raft::WanTiming();
  auto wan = Changed(Three(), SetTiming{timing});
  ASSERT_TRUE(wan.ok());
  EXPECT_EQ(wan->timing.lease, raft::LanTiming().lease);
  EXPECT_GE(wan->timing.lease_wait, raft::LeaseWaitFor(raft::LanTiming().lease));
  EXPECT_EQ(wan->timing.lease_wanted, raft::WanTiming().lease);
  timing.election_min = timing.heartbeat;
  EXPECT_EQ(Changed(Three(), SetTiming{timing}).status().code(), absl::StatusCode::kInvalidArgument);
}

// --- members ---

raft::Configuration ThreeOfLevel2() {
  raft::Configuration c = Three();
  c.feature_level = 2;
  c.last_id = MemberId{5};  // 4 and 5 were members once
  for (raft::Member& m : c.members) {
    m.address = "10.0.0." + std::to_string(m.id.value) + ":1";
    m.instance = 100 + m.id.value;
  }
  return c;
}
AddMember At(std::string address) { return {.address = std::move(address), .replaces = {}}; }
void ExpectRefused(const raft::Configuration& c, const ConfigurationChange& change, absl::StatusCode code,
                   const std::string& why) {
  const auto changed = Changed(c, change);
  EXPECT_EQ(changed.status().code(), code) << changed.status();
  EXPECT_NE(std::string(changed.status().message()).find(why), std::string::npos) << changed.status();
}

TEST(ChangedMembers, ANewOneIsALearnerWithAnIdThatNobodyEverHad) {
  const auto added = Changed(ThreeOfLevel2(), At("10.0.0.9:1"));
  ASSERT_TRUE(added.ok()) << added.status();
  ASSERT_EQ(added->members.size(), 4u);
  const raft::Member& m = added->members.back();
  EXPECT_EQ(m.id, MemberId{6});
  EXPECT_FALSE(m.voter);
  EXPECT_FALSE(m.lease_eligible);
  EXPECT_TRUE(m.promote);
  AddMember learner = At("10.0.0.9:1");
  learner.promote = false;
  EXPECT_FALSE(Changed(ThreeOfLevel2(), learner)->members.back().promote);
  AddMember heir = learner;
  heir.replaces = MemberId{2};
  const auto replaced = Changed(ThreeOfLevel2(), heir);
  ASSERT_TRUE(replaced.ok()) << replaced.status();
  EXPECT_TRUE(replaced->members.back().promote);
  EXPECT_EQ(replaced->members.back().replaces, MemberId{2});
  EXPECT_EQ(replaced->members.size(), 4u) << "the old one stays until then";
}

TEST(ChangedMembers, ANewOneMustFit) {
  using absl::StatusCode;
  const raft::Configuration c = ThreeOfLevel2();
  ExpectRefused(c, At(""), StatusCode::kInvalidArgument, "host:port");
  ExpectRefused(c, At(std::string(301, 'x')), StatusCode::kInvalidArgument, "host:port");
  ExpectRefused(c, At("10.0.0.2:1"), StatusCode::kAlreadyExists, "member 2 is at 10.0.0.2:1");
  AddMember known = At("10.0.0.9:1"), heir = known;
  known.instance = 103;
  ExpectRefused(c, known, StatusCode::kAlreadyExists, "that data directory is member 3");
  heir.replaces = MemberId{4};
  ExpectRefused(c, heir, StatusCode::kNotFound, "no member 4: it was removed");
  heir.replaces = MemberId{9};
  ExpectRefused(c, heir, StatusCode::kNotFound, "no member 9");
  heir.replaces = MemberId{2};
  const auto once = Changed(c, heir);
  ASSERT_TRUE(once.ok());
  heir.address = "10.0.0.10:1";
  ExpectRefused(*once, heir, StatusCode::kAlreadyExists, "member 6 replaces member 2 already");
  heir.replaces = MemberId{6};
  ExpectRefused(*once, heir, StatusCode::kInvalidArgument, "member 6 is a learner");
  raft::Configuration full = c;
  while (full.members.size() < 64)
    full.members.push_back(
        {.id = full.members.back().id + 1, .address = "x:" + std::to_string(full.members.size())});
  ExpectRefused(full, At("10.0.0.99:1"), StatusCode::kInvalidArgument, "64 members at most");
}

TEST(ChangedMembers, AnOldOnesAddressMayGoToWhoReplacesIt) {
  AddMember heir = At("10.0.0.2:1");
  heir.replaces = MemberId{2};
  EXPECT_TRUE(Changed(ThreeOfLevel2(), heir).ok());
}

TEST(ChangedMembers, WhoIsRemovedIsGoneAndNobodyReplacesItAnyMore) {
  AddMember heir = At("10.0.0.9:1");
  heir.replaces = MemberId{2};
  const auto waiting = Changed(ThreeOfLevel2(), heir);
  const auto removed = Changed(*waiting, RemoveMember{MemberId{2}});
  ASSERT_TRUE(removed.ok());
  EXPECT_EQ(removed->members.size(), 3u);
  EXPECT_EQ(removed->members.back().replaces, MemberId{});
  EXPECT_TRUE(removed->members.back().promote);
  ExpectRefused(*removed, RemoveMember{MemberId{2}}, absl::StatusCode::kNotFound, "it was removed");
  ExpectRefused(*removed, RemoveMember{MemberId{77}}, absl::StatusCode::kNotFound, "no member 77");
}

TEST(ChangedMembers, AGroupKeepsAVoter) {
  raft::Configuration c = ThreeOfLevel2();
  c.members[0].voter = c.members[1].voter = false;
  ExpectRefused(c, RemoveMember{MemberId{3}, true}, absl::StatusCode::kInvalidArgument, "the last voter");
  ExpectRefused(c, DemoteMember{MemberId{3}, true}, absl::StatusCode::kInvalidArgument, "the last voter");
  EXPECT_TRUE(Changed(c, RemoveMember{MemberId{1}}).ok());
}

TEST(ChangedMembers, PromotingAndDemotingSayHowItShallBe) {
  const raft::Configuration c = ThreeOfLevel2();
  ExpectRefused(c, PromoteMember{MemberId{1}}, absl::StatusCode::kAlreadyExists, "a voter already");
  ExpectRefused(c, PromoteMember{MemberId{4}}, absl::StatusCode::kNotFound, "it was removed");
  const auto demoted = Changed(c, DemoteMember{MemberId{1}});
  ASSERT_TRUE(demoted.ok());
  EXPECT_FALSE(demoted->members[0].voter);
  ExpectRefused(*demoted, DemoteMember{MemberId{1}}, absl::StatusCode::kAlreadyExists, "a learner already");
  const auto wanted = Changed(*demoted, PromoteMember{MemberId{1}});
  ASSERT_TRUE(wanted.ok());
  EXPECT_FALSE(wanted->members[0].voter) << "not before it has caught up";
  EXPECT_TRUE(wanted->members[0].promote);
  const auto never_mind = Changed(*wanted, DemoteMember{MemberId{1}});
  ASSERT_TRUE(never_mind.ok());
  EXPECT_FALSE(never_mind->members[0].promote);
}

TEST(ChangedMembers, NeedFeatureLevelTwoAndSettingsDoNot) {
  raft::Configuration c = ThreeOfLevel2();
  c.feature_level = 1;
  ExpectRefused(c, At("10.0.0.9:1"), absl::StatusCode::kUnavailable, "feature level is 1");
  ExpectRefused(c, RemoveMember{MemberId{1}}, absl::StatusCode::kUnavailable, "feature level is 1");
  EXPECT_TRUE(Changed(c, SetLeases{false}).ok());
}

raft::Status Leading(std::vector<uint64_t> recent) {
  raft::Status status{.self = MemberId{1}, .leader = MemberId{1}, .role = raft::Role::kLeader};
  for (const uint64_t id : {2, 3})
    status.peers.push_back({.id = MemberId{id}, .recent = std::ranges::find(recent, id) != recent.end()});
  return status;
}

TEST(WouldLoseQuorum, NamesWhoDoesNotAnswer) {
  const raft::Configuration all = ThreeOfLevel2();
  EXPECT_TRUE(WouldLoseQuorum(Leading({2}), all).ok());
  const raft::Configuration without_2 = *Changed(all, RemoveMember{MemberId{2}});
  EXPECT_TRUE(WouldLoseQuorum(Leading({2, 3}), without_2).ok());
  const absl::Status lost = WouldLoseQuorum(Leading({2}), without_2);
  EXPECT_EQ(lost.code(), absl::StatusCode::kAborted);
  EXPECT_NE(std::string(lost.message()).find("member 3 does not answer"), std::string::npos) << lost;
  EXPECT_TRUE(WouldLoseQuorum(Leading({2}), *Changed(all, RemoveMember{MemberId{3}})).ok());
}

TEST(WouldLoseQuorum, WhoIsBeingRepairedCountsAsSilentAndALearnerNotAtAll) {
  raft::Configuration c = ThreeOfLevel2();
  c.members[1].repairing = true;
  EXPECT_TRUE(WouldLoseQuorum(Leading({2, 3}), c).ok());
  EXPECT_FALSE(WouldLoseQuorum(Leading({2, 3}), *Changed(c, RemoveMember{MemberId{3}})).ok());
  c = ThreeOfLevel2();
  c.members[2].voter = false;
  EXPECT_FALSE(WouldLoseQuorum(Leading({3}), c).ok());
}

}  // namespace
}  // namespace quorate::replica

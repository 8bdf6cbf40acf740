#include "raft/quorum.h"

#include <gtest/gtest.h>

namespace quorate::raft {
namespace {

Configuration Voters(std::vector<uint64_t> incoming, std::vector<uint64_t> outgoing = {},
                     std::vector<uint64_t> learners = {}) {
  Configuration c;
  for (uint64_t id : incoming) c.members.push_back({.id = {id}});
  for (uint64_t id : learners) c.members.push_back({.id = {id}, .voter = false});
  for (uint64_t id : outgoing) c.outgoing_voters.push_back({id});
  return c;
}

uint64_t Value(const Configuration& c, std::map<uint64_t, uint64_t> values) {
  return QuorumValue(c, [&](MemberId id) { return values[id.value]; });
}

TEST(Quorum, AMajorityHasAtLeastTheValue) {
  EXPECT_EQ(Value(Voters({1}), {{1, 7}}), 7u);
  EXPECT_EQ(Value(Voters({1, 2}), {{1, 7}, {2, 3}}), 3u);
  EXPECT_EQ(Value(Voters({1, 2, 3}), {{1, 7}, {2, 3}, {3, 5}}), 5u);
  EXPECT_EQ(Value(Voters({1, 2, 3, 4}), {{1, 7}, {2, 3}, {3, 5}, {4, 6}}), 5u);
  EXPECT_EQ(Value(Voters({1, 2, 3, 4, 5}), {{1, 9}, {2, 9}}), 0u);
}

TEST(Quorum, LearnersDoNotCount) {
  EXPECT_EQ(Value(Voters({1, 2, 3}, {}, {4, 5}), {{1, 1}, {4, 9}, {5, 9}}), 0u);
  EXPECT_FALSE(IsVoter(Voters({1}, {}, {4}), {4}));
}

TEST(Quorum, EachHalfOfAJointConfigurationCountsApart) {
  const Configuration joint = Voters({1, 2, 3}, {3, 4, 5});
  EXPECT_EQ(Value(joint, {{1, 5}, {2, 5}, {3, 5}}), 0u) << "three of five, but one of the old half";
  EXPECT_EQ(Value(joint, {{1, 5}, {2, 5}, {3, 5}, {4, 2}}), 2u);
  EXPECT_TRUE(IsVoter(joint, {5}));
  EXPECT_EQ(TallyVotes(joint, {{{1}, true}, {{2}, true}, {{3}, true}}), VoteOutcome::kPending);
  EXPECT_EQ(TallyVotes(joint, {{{2}, true}, {{3}, true}, {{4}, true}}), VoteOutcome::kWon);
  EXPECT_EQ(TallyVotes(joint, {{{1}, true}, {{2}, true}, {{4}, false}, {{5}, false}}), VoteOutcome::kLost);
}

TEST(Quorum, NobodyIsNoMajority) {
  EXPECT_EQ(Value({}, {{1, 9}}), 0u);
  EXPECT_FALSE(HasQuorum({}, [](MemberId) { return true; }));
  EXPECT_FALSE(HasQuorum(Voters({}, {}, {1}), [](MemberId) { return true; }));
}

TEST(Quorum, AnElectionIsLostWhenNoMajorityCanComeAnyMore) {
  const Configuration c = Voters({1, 2, 3, 4});
  EXPECT_EQ(TallyVotes(c, {{{1}, true}, {{2}, true}}), VoteOutcome::kPending);
  EXPECT_EQ(TallyVotes(c, {{{1}, true}, {{2}, false}, {{3}, false}}), VoteOutcome::kLost);
  EXPECT_EQ(TallyVotes(c, {{{1}, true}, {{2}, true}, {{3}, true}, {{9}, false}}), VoteOutcome::kWon);
}

TEST(Quorum, EveryMemberIsNamedOnce) {
  const Configuration c = Voters({2, 3}, {1, 2}, {7});
  EXPECT_EQ(EveryMember(c), (std::vector<MemberId>{{1}, {2}, {3}, {7}}));
}

}  // namespace
}  // namespace quorate::raft

#include "raft/progress.h"

#include <gtest/gtest.h>

namespace quorate::raft {
namespace {

using State = Progress::State;

Progress Replicating(uint64_t match) {
  Progress p({match + 1}, {});
  p.OnMatched({match}, {match});
  return p;
}

TEST(Progress, ProbesWithOneMessageUntilTheLogsAgree) {
  Progress p({8}, {});
  EXPECT_TRUE(p.Open(4, 100));
  p.OnSent({9}, 10, {});
  EXPECT_FALSE(p.Open(4, 100));
  EXPECT_EQ(p.next(), LogIndex{8}) << "a probe promises nothing";
  p.OnMismatch({5});
  EXPECT_TRUE(p.Open(4, 100));
  EXPECT_EQ(p.next(), LogIndex{5});
  p.OnSent({9}, 10, {});
  p.OnMatched({9}, {9});
  EXPECT_EQ(p.state(), State::kReplicate);
  EXPECT_EQ(p.next(), LogIndex{10});
}

TEST(Progress, AnAnswerOlderThanTheProbeAllowsAnotherOne) {
  Progress p({8}, {});
  p.OnSent({9}, 10, {});
  p.OnMatched({2}, {2});
  EXPECT_EQ(p.state(), State::kProbe);
  EXPECT_TRUE(p.Open(4, 100));
  EXPECT_EQ(p.match(), LogIndex{2});
}

TEST(Progress, TheWindowIsBoundedByCountAndByBytes) {
  Progress p = Replicating(1);
  p.OnSent({2}, 10, {});
  p.OnSent({3}, 10, {});
  EXPECT_TRUE(p.Open(3, 100));
  EXPECT_FALSE(p.Open(2, 100));
  EXPECT_FALSE(p.Open(3, 20));
}

TEST(Progress, OnlyWhatIsDurableFreesTheWindow) {
  Progress p = Replicating(1);
  p.OnSent({2}, 10, {});
  p.OnSent({3}, 10, {});
  p.OnMatched({3}, {1});  // received, not yet on the follower's disk
  EXPECT_FALSE(p.Open(2, 100));
  EXPECT_EQ(p.match(), LogIndex{1});
  p.OnMatched({2}, {2});
  EXPECT_TRUE(p.Open(2, 100));
  EXPECT_EQ(p.match(), LogIndex{2});
  EXPECT_EQ(p.next(), LogIndex{4});
}

TEST(Progress, AMismatchProbesAgainAndNeverBelowTheMatch) {
  Progress p = Replicating(3);
  p.OnSent({9}, 10, {});
  p.OnMismatch({2});
  EXPECT_EQ(p.state(), State::kProbe);
  EXPECT_EQ(p.next(), LogIndex{4});
  EXPECT_TRUE(p.Open(1, 1)) << "what was under way does not block the probe";
}

TEST(Progress, AnOldMismatchChangesNothing) {
  Progress p({5}, {});
  p.OnSent({9}, 10, {});
  p.OnMismatch({7});
  EXPECT_FALSE(p.Open(4, 100));
  EXPECT_EQ(p.next(), LogIndex{5});
}

TEST(Progress, ASnapshotStopsEntriesUntilItEnds) {
  Progress p({5}, {});
  p.BecomeSnapshot();
  EXPECT_FALSE(p.Open(4, 100));
  p.OnMismatch({2});
  p.OnMatched({3}, {3});
  EXPECT_EQ(p.state(), State::kSnapshot);
  p.OnMatched({8}, {8});
  EXPECT_LT(p.match(), p.next());
  p.BecomeProbe({6});
  EXPECT_EQ(p.next(), LogIndex{9}) << "what matched stays matched";
  EXPECT_TRUE(p.Open(4, 100));
}

TEST(Progress, RoundsAndMatchesOnlyGrow) {
  Progress p = Replicating(5);
  p.AckRound(7);
  p.AckRound(3);
  EXPECT_EQ(p.acked_round(), 7u);
  p.OnMatched({2}, {2});
  EXPECT_EQ(p.match(), LogIndex{5});
}

}  // namespace
}  // namespace quorate::raft

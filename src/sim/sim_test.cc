// That the simulation is deterministic, and that its checks can fail: each deliberate bug is caught.
#include "sim/simulation.h"

#include <gmock/gmock.h>

#include <set>

namespace quorate::sim {
namespace {

TEST(Simulation, TheSameSeedDoesTheSameAgain) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Report first = Simulate({.seed = seed}), again = Simulate({.seed = seed});
    EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.steps, again.steps);
  }
}

TEST(Simulation, AnotherSeedDoesSomethingElse) {
  EXPECT_NE(Simulate({.seed = 1}).trace_hash, Simulate({.seed = 2}).trace_hash);
}

TEST(Simulation, ARunSeesFaultsAndProgress) {
  Report sum;
  for (uint64_t seed = 1; seed <= 10; ++seed) {
    const Report report = Simulate({.seed = seed});
    ASSERT_FALSE(report.violation.has_value()) << report.violation->property;
    sum.acknowledged += report.acknowledged;
    sum.crashes += report.crashes;
    sum.leaders += report.leaders;
    sum.snapshots += report.snapshots;
  }
  EXPECT_GT(sum.acknowledged, 1000u);
  EXPECT_GT(sum.crashes, 20u);
  EXPECT_GT(sum.leaders, 10u);
  EXPECT_GT(sum.snapshots, 3u);
}

// The properties that seeds 1.. violate under `mutation`, until one of `expected` is among them.
std::string FirstViolation(Mutation mutation, const std::set<std::string>& expected, uint64_t seeds_max) {
  std::string seen;
  for (uint64_t seed = 1; seed <= seeds_max; ++seed) {
    const Report report = Simulate({.seed = seed, .mutation = mutation});
    if (!report.violation) continue;
    if (expected.contains(report.violation->property)) return report.violation->property;
    seen += report.violation->property + " ";
  }
  return "none of those expected, but: " + seen;
}

void ExpectCaught(Mutation mutation, const std::set<std::string>& expected, uint64_t seeds_max = 200) {
  const std::string caught = FirstViolation(mutation, expected, seeds_max);
  EXPECT_TRUE(expected.contains(caught)) << caught;
}

TEST(Mutants, AWriteReportedBeforeItIsOnDiskIsCaught) {
  ExpectCaught(Mutation::kAckBeforeSync,
               {"leader completeness", "state machine safety", "no acknowledged write is lost",
                "log matching", "linearizable reads", "linearizable writes", "election safety"});
}

TEST(Mutants, ACommandAppliedByOthersOnlyIsCaught) { ExpectCaught(Mutation::kSkipApply, {"equal states"}); }

TEST(Mutants, ACommandAppliedTwiceIsCaught) { ExpectCaught(Mutation::kForgetSessions, {"exactly once"}); }

TEST(Mutants, AReadWithoutABarrierIsCaught) {
  ExpectCaught(Mutation::kReadWithoutBarrier, {"linearizable reads"});
}

}  // namespace
}  // namespace quorate::sim

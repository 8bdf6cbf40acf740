// That the simulation is deterministic, and that a run sees what it is made for. That its checks can fail is
// sim.mutants' to show.
#include "sim/simulation.h"

#include <gmock/gmock.h>

#include "sim/jobs.h"
#include "sim/machine_clock.h"
#include "sim/mutants.h"

namespace quorate::sim {
namespace {

TEST(Simulation, TheSameSeedDoesTheSameAgain) {
  for (uint64_t seed = 1; seed <= 5; ++seed) {
    const Report first = Simulate({.seed = seed}), again = Simulate({.seed = seed});
    EXPECT_EQ(first.trace_hash, again.trace_hash) << "seed " << seed;
    EXPECT_EQ(first.steps, again.steps);
    EXPECT_EQ(first.history, again.history);
  }
}

TEST(Simulation, AnotherSeedDoesSomethingElse) {
  EXPECT_NE(Simulate({.seed = 1}).trace_hash, Simulate({.seed = 2}).trace_hash);
}

TEST(Simulation, EveryShapeMakesProgressAmongFaults) {
  for (ShapeKind shape : {ShapeKind::kLan3, ShapeKind::kLan5, ShapeKind::kLan3Learner, ShapeKind::kWan5}) {
    RunResult sum = RunSeeds({.shape = shape}, {.first = 1, .count = 5});
    ASSERT_FALSE(sum.failure.has_value()) << sum.failure->seed << sum.failure->property << sum.failure->text;
    EXPECT_GT(sum.acknowledged, 250u);
    EXPECT_GT(sum.reads, 500u);
    EXPECT_GT(sum.crashes, 10u);
    EXPECT_GT(sum.leaders, 5u);
  }
}

TEST(Jobs, HowManyProcessesRunTheSeedsChangesNothing) {
  const RunResult one = RunSeeds({}, {.first = 1, .count = 8, .jobs = 1});
  const RunResult three = RunSeeds({}, {.first = 1, .count = 8, .jobs = 3});
  EXPECT_EQ(one.seeds, 8u);
  EXPECT_EQ(one.acknowledged, three.acknowledged);
  EXPECT_EQ(one.probes, three.probes);
}

TEST(Jobs, OfManyFailuresTheLowestSeedIsReported) {
  const Mutant& mutant = *FindMutant("skip-apply");
  const Options options{.mutant = std::string(mutant.name), .profile = mutant.profile};
  const RunResult one = RunSeeds(options, {.first = 1, .count = 20, .jobs = 1});
  const RunResult three = RunSeeds(options, {.first = 1, .count = 20, .jobs = 3});
  ASSERT_TRUE(one.failure && three.failure);
  EXPECT_EQ(one.failure->seed, three.failure->seed);
  EXPECT_EQ(one.failure->text, three.failure->text);
}

TEST(MachineClock, TwoClocksDifferByNoMoreThanLeasesAssume) {
  World world(7, false);
  MachineClock a(world, 50), b(world, 50);
  for (int i = 0; i < 200; ++i) {
    const BootTime from_a = a.Boot(), from_b = b.Boot();
    world.Step(world.now() + std::chrono::seconds(1));
    const auto ran_a = static_cast<double>((a.Boot() - from_a).count());
    const auto ran_b = static_cast<double>((b.Boot() - from_b).count());
    EXPECT_LT(ran_a / ran_b, 1.11);
    EXPECT_GT(ran_a / ran_b, 1 / 1.11);
    i % 2 ? a.DrawRate() : b.DrawRate();
  }
}

TEST(MachineClock, ItShowsATimeWhenItSaysThatItWill) {
  World world(3, false);
  MachineClock clock(world, 50);
  for (int i = 0; i < 100; ++i) {
    const BootTime when = clock.Boot() + std::chrono::milliseconds(i);
    const Duration wait = clock.Until(when);
    world.Step(world.now() + wait);
    EXPECT_GE(clock.Boot(), when);
    EXPECT_LE(clock.Boot() - when, Duration(3));
    clock.DrawRate();
  }
}

}  // namespace
}  // namespace quorate::sim

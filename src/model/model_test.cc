#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "model/explorer.h"
#include "model/lease_model.h"
#include "model/options.h"

namespace quorate::model {
namespace {

// A sanitizer's build explores only what is small.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr uint64_t kStatesMax = 100'000;
#else
constexpr uint64_t kStatesMax = 10'000'000;
#endif

Exploration Explore(const Options& options, size_t states_max = kStatesMax) {
  const LeaseModel model(options);
  return Explorer(model, states_max).Run();
}

// Two counters that count to three; the order of the two does not matter.
struct Counters {
  struct State {
    std::array<uint32_t, 2> count;
  };
  using Action = int;
  State Initial() const { return {}; }
  void Successors(const State& state, std::vector<std::pair<Action, State>>& out) const {
    for (int i = 0; i < 2; ++i) {
      if (state.count[i] == 3) continue;
      State next = state;
      ++next.count[i];
      out.emplace_back(i, next);
    }
  }
  void Canonicalize(State& state) const {
    if (state.count[0] > state.count[1]) std::swap(state.count[0], state.count[1]);
  }
  std::optional<std::string> Violated(const State& state) const {
    if (static_cast<int>(state.count[0] + state.count[1]) != forbidden_sum) return std::nullopt;
    return "sum";
  }
  std::string Describe(const State&, const Action& action) const { return std::to_string(action); }
  std::string Describe(const State& state) const {
    return std::to_string(state.count[0]) + "," + std::to_string(state.count[1]);
  }
  int forbidden_sum = -1;
};

TEST(Explorer, SeesEveryStateOnceUpToSymmetry) {
  const Exploration result = Explorer(Counters{}, 100).Run();
  EXPECT_TRUE(result.complete);
  EXPECT_EQ(result.states, 10u);       // the pairs a <= b of 0 .. 3
  EXPECT_EQ(result.transitions, 15u);  // two from each of six pairs, one from 0,3 1,3 2,3, none from 3,3
  EXPECT_EQ(result.depth, 6);
  EXPECT_FALSE(result.violated);
}

TEST(Explorer, GivesAShortestWayToAViolation) {
  const Exploration result = Explorer(Counters{.forbidden_sum = 4}, 100).Run();
  EXPECT_EQ(result.violated, "sum");
  ASSERT_EQ(result.trace.size(), 5u);
  EXPECT_EQ(result.trace.front().state, "0,0");
  EXPECT_THAT(result.trace.back().state, testing::AnyOf("1,3", "3,1", "2,2"));
}

TEST(Explorer, SaysThatItIsNotCompleteWhenItStopsAtItsBound) {
  EXPECT_FALSE(Explorer(Counters{}, 5).Run().complete);
}

TEST(Visited, KnowsWhatItHasSeenWhileItGrows) {
  Visited visited;
  for (uint64_t i = 0; i < 200'000; ++i)
    EXPECT_TRUE(visited.Insert(FingerprintOf(&i, sizeof i), Visited::kNone));
  for (uint64_t i = 0; i < 200'000; ++i)
    EXPECT_FALSE(visited.Insert(FingerprintOf(&i, sizeof i), Visited::kNone));
  EXPECT_EQ(visited.size(), 200'000u);
}

TEST(Logs, AreComparedAsRaftComparesThem) {
  const Log noop = Append(0, 1, false), write = Append(noop, 1, true), other = Append(noop, 2, false);
  EXPECT_EQ(Length(write), 2);
  EXPECT_EQ(CommonPrefix(write, other), 1);
  EXPECT_EQ(LastWrite(write, 2), 2);
  EXPECT_EQ(LastWrite(other, 2), 0);
  EXPECT_TRUE(IsPrefix(noop, write));
  EXPECT_FALSE(IsPrefix(other, write));
  EXPECT_TRUE(UpToDate(other, write));
  EXPECT_FALSE(UpToDate(write, other));
  EXPECT_FALSE(UpToDate(noop, write));
}

class CleanConfiguration : public testing::TestWithParam<Configuration> {};

TEST_P(CleanConfiguration, ViolatesNothingInAllItsStates) {
  const Configuration& configuration = GetParam();
  if (configuration.states > kStatesMax) GTEST_SKIP() << "too many states for a sanitizer's build";
  const Exploration result = Explore({configuration.bounds});
  EXPECT_TRUE(result.complete);
  EXPECT_FALSE(result.violated) << *result.violated;
  // A change of the model or of its reductions is to be noticed, and counted anew: here and in
  // docs/testing.md.
  EXPECT_EQ(result.states, configuration.states);
}

std::string TestName(std::string name) {
  std::replace(name.begin(), name.end(), '-', '_');
  return name;
}

INSTANTIATE_TEST_SUITE_P(Default, CleanConfiguration, testing::ValuesIn(DefaultConfigurations()),
                         [](const auto& info) { return TestName(info.param.name); });

class CaughtMutant : public testing::TestWithParam<MutantInfo> {};

// And the same steps without the fault violate nothing, the inner properties included: it is the fault that
// is caught.
TEST_P(CaughtMutant, ViolatesTheNamedPropertyWhichIsItsOwnDoing) {
  const MutantInfo& info = GetParam();
  if (info.bounds.terms == 3 && kStatesMax < 1'000'000)
    GTEST_SKIP() << "too many states for a sanitizer's build";
  const Exploration faulty = Explore({info.bounds, info.mutant, VisibleProperties()}, 10'000'000);
  ASSERT_EQ(faulty.violated, NameOf(info.expected));
  EXPECT_EQ(faulty.trace.size(), static_cast<size_t>(faulty.depth) + 1);
  const Exploration sound = Explore({info.bounds}, std::min<size_t>(faulty.states, 200'000));
  EXPECT_FALSE(sound.violated) << *sound.violated;
}

INSTANTIATE_TEST_SUITE_P(All, CaughtMutant, testing::ValuesIn(Mutants()),
                         [](const auto& info) { return TestName(info.param.name); });

TEST(Mutants, ThatReachTheInnerPropertiesViolateThemNoLaterThanTheVisibleOnes) {
  const MutantInfo& info = *FindMutant("no-gate");
  const Exploration inner = Explore({info.bounds, info.mutant});
  const Exploration visible = Explore({info.bounds, info.mutant, VisibleProperties()});
  EXPECT_EQ(inner.violated, NameOf(Property::kGate));
  EXPECT_LE(inner.depth, visible.depth);
}

}  // namespace
}  // namespace quorate::model

#include "api/xfr/secondary_plan.h"

#include <gtest/gtest.h>

namespace quorate::api::xfr {
namespace {

using std::chrono::seconds;
using zone::SecondaryState;
using Names = std::vector<dns::Name>;

const dns::Name kZone = *dns::Name::FromText("example.org.");
BootTime At(int64_t s) { return {seconds(s)}; }

SecondaryFacts Facts(SecondaryState state = SecondaryState::kLoaded, uint32_t serial = 1) {
  return {.serial = {serial},
          .refresh = 100,
          .retry = 10,
          .expire = 500,
          .state = state,
          .primaries = *zone::RemotesFromText("192.0.2.1")};
}

// RFC 1035 3.3.13: REFRESH after what went well, RETRY after what did not, EXPIRE after the last that did.
TEST(SecondaryPlan, Rfc1035Section3_3_13_TheTimersOfTheSoa) {
  SecondaryPlan plan;
  plan.Set(kZone, Facts(), At(0));
  EXPECT_TRUE(plan.Due(At(99), 9).empty());
  EXPECT_EQ(plan.Due(At(100), 9), Names{kZone});
  EXPECT_TRUE(plan.Due(At(200), 9).empty());  // it is under way
  plan.Done(kZone, "", At(100));
  EXPECT_TRUE(plan.Due(At(199), 9).empty());
  EXPECT_EQ(plan.Due(At(200), 9), Names{kZone});
  plan.Done(kZone, "no answer", At(200));
  EXPECT_EQ(plan.Info(kZone)->error, "no answer");
  EXPECT_TRUE(plan.Due(At(209), 9).empty());
  EXPECT_EQ(plan.Due(At(210), 9), Names{kZone});
  plan.Done(kZone, "no answer", At(210));
  EXPECT_TRUE(plan.Expired(At(599)).empty());
  EXPECT_EQ(plan.Expired(At(600)), Names{kZone});  // 500 s after 100
  EXPECT_TRUE(plan.Expired(At(601)).empty());
}

TEST(SecondaryPlan, AZoneThatIsAlreadyHalfExpiredWhenAReplicaBecomesLeader) {
  SecondaryPlan plan;
  SecondaryFacts facts = Facts();
  facts.since_checked = seconds(300);
  plan.Set(kZone, facts, At(1000));
  EXPECT_EQ(plan.Due(At(1000), 9), Names{kZone});
  plan.Done(kZone, "no answer", At(1001));
  EXPECT_TRUE(plan.Expired(At(1199)).empty());
  EXPECT_EQ(plan.Expired(At(1200)), Names{kZone});
}

// RFC 1996 3.11, 4.4: at once; and once more if it came while the primary was being asked.
TEST(SecondaryPlan, Rfc1996Section4_4_ANotifyBringsTheNextTryForward) {
  SecondaryPlan plan;
  plan.Set(kZone, Facts(), At(0));
  EXPECT_FALSE(plan.Want(dns::Name(), At(5)));
  EXPECT_TRUE(plan.Want(kZone, At(5)));
  EXPECT_EQ(plan.Due(At(5), 9), Names{kZone});
  EXPECT_TRUE(plan.Want(kZone, At(6)));
  EXPECT_TRUE(plan.Due(At(6), 9).empty());
  plan.Done(kZone, "", At(7));
  EXPECT_EQ(plan.Due(At(7), 9), Names{kZone});
  plan.Done(kZone, "", At(8));
  EXPECT_TRUE(plan.Due(At(9), 9).empty());
  SecondaryFacts asked = Facts();
  asked.asked_at = seconds(3);  // at another replica
  plan.Set(kZone, asked, At(10));
  EXPECT_EQ(plan.Due(At(10), 9), Names{kZone});
}

TEST(SecondaryPlan, ANewLeaderKnowsWhatTheLastOneWasAsked) {
  SecondaryPlan plan;
  SecondaryFacts facts = Facts();
  facts.asked = true;
  plan.Set(kZone, facts, At(0));
  EXPECT_EQ(plan.Due(At(0), 9), Names{kZone});
}

TEST(SecondaryPlan, WithoutContentItIsTriedAtOnceAndWithGrowingWaits) {
  SecondaryPlan plan;
  plan.Set(kZone, Facts(SecondaryState::kNotLoaded), At(0));
  std::vector<int64_t> tries;
  for (int64_t s = 0; s < 100; ++s) {
    if (plan.Due(At(s), 9).empty()) continue;
    tries.push_back(s);
    plan.Done(kZone, "refused", At(s));
  }
  EXPECT_EQ(tries, (std::vector<int64_t>{0, 2, 6, 14, 30, 62}));
  EXPECT_TRUE(plan.Expired(At(100000)).empty());
}

TEST(SecondaryPlan, TakesTheLongestDueFirstAndNoMoreThanAsked) {
  SecondaryPlan plan;
  const dns::Name a = *dns::Name::FromText("a."), b = *dns::Name::FromText("b.");
  plan.Set(a, Facts(), At(50));
  plan.Set(b, Facts(), At(0));
  EXPECT_EQ(plan.Due(At(500), 1), Names{b});
  EXPECT_EQ(plan.Due(At(500), 1), Names{a});
  plan.Remove(a);
  plan.Done(a, "", At(500));
  EXPECT_EQ(plan.size(), 1u);
}

TEST(SecondaryPlan, TimersOfZeroDoNotFlood) {
  SecondaryPlan plan;
  SecondaryFacts facts = Facts();
  facts.refresh = facts.retry = 0;
  plan.Set(kZone, facts, At(0));
  EXPECT_TRUE(plan.Due(At(0), 9).empty());
  EXPECT_EQ(plan.Due(At(1), 9), Names{kZone});
}

}  // namespace
}  // namespace quorate::api::xfr

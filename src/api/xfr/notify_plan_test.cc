#include "api/xfr/notify_plan.h"

#include <gtest/gtest.h>

#include "base/limits.h"

namespace quorate::api::xfr {
namespace {

using std::chrono::seconds;

const dns::Name kZone = *dns::Name::FromText("example.org.");
BootTime At(int64_t s) { return {seconds(s)}; }
std::vector<zone::Remote> Remotes(const char* text) { return *zone::RemotesFromText(text); }

// RFC 1996 3.6: again until it is answered, or given up.
TEST(NotifyPlan, Rfc1996Section3_6_RepeatsWithGrowingWaitsAndGivesUp) {
  NotifyPlan plan;
  plan.Set(kZone, {5}, Remotes("192.0.2.1"), At(0));
  std::vector<int64_t> sent;
  for (int64_t s = 0; s < 1000; ++s) {
    for (const auto& send : plan.Due(At(s))) {
      EXPECT_EQ(send.serial.value, 5u);
      sent.push_back(s);
    }
  }
  EXPECT_EQ(sent, (std::vector<int64_t>{0, 1, 3, 7, 15, 31, 63}));
  EXPECT_EQ(plan.given_up(), 1u);
  EXPECT_FALSE(plan.next());
  plan.Set(kZone, {6}, Remotes("192.0.2.1"), At(1000));  // the next change is told anew
  EXPECT_EQ(plan.Due(At(1000)).size(), 1u);
}

TEST(NotifyPlan, OncePerChangeAndChangesMeanwhileAreOne) {
  NotifyPlan plan;
  const auto remotes = Remotes("192.0.2.1");
  plan.Set(kZone, {5}, remotes, At(0));
  EXPECT_EQ(plan.Due(At(0)).size(), 1u);
  plan.Set(kZone, {6}, remotes, At(0));
  plan.Set(kZone, {7}, remotes, At(0));
  EXPECT_TRUE(plan.Due(At(0)).empty());  // one is under way
  EXPECT_TRUE(plan.Answered(kZone, remotes[0], At(0)));
  auto due = plan.Due(At(0));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(due[0].serial.value, 7u);
  EXPECT_TRUE(plan.Answered(kZone, remotes[0], At(0)));
  EXPECT_FALSE(plan.Answered(kZone, remotes[0], At(0)));
  plan.Set(kZone, {7}, remotes, At(1));  // the settings changed, the zone did not
  EXPECT_TRUE(plan.Due(At(100)).empty());
}

TEST(NotifyPlan, ServersComeAndGo) {
  NotifyPlan plan;
  plan.Set(kZone, {5}, Remotes("192.0.2.1,192.0.2.2"), At(0));
  EXPECT_EQ(plan.Due(At(0)).size(), 2u);
  plan.Set(kZone, {5}, Remotes("192.0.2.2,192.0.2.3"), At(0));
  const auto due = plan.Due(At(0));
  ASSERT_EQ(due.size(), 1u);
  EXPECT_EQ(zone::ToText(due[0].remote), zone::ToText(Remotes("192.0.2.3")[0]));
  EXPECT_EQ(plan.under_way(), 2u);
  plan.Remove(kZone);
  EXPECT_EQ(plan.under_way(), 0u);
  EXPECT_TRUE(plan.Due(At(100)).empty());
}

TEST(NotifyPlan, ANewLeaderTellsAllAgain) {
  NotifyPlan plan;
  const auto remotes = Remotes("192.0.2.1");
  plan.Set(kZone, {5}, remotes, At(0));
  plan.Due(At(0));
  plan.Answered(kZone, remotes[0], At(0));
  plan.Forget();
  plan.Set(kZone, {5}, remotes, At(9));
  EXPECT_EQ(plan.Due(At(9)).size(), 1u);
}

TEST(NotifyPlan, NoMoreThanItsBoundAreUnderWay) {
  NotifyPlan plan;
  const size_t zones = limits::kNotifiesUnderWayMax + 10;
  for (size_t i = 0; i < zones; ++i)
    plan.Set(*dns::Name::FromText("z" + std::to_string(i) + "."), {1}, Remotes("192.0.2.1"), At(0));
  const auto first = plan.Due(At(0));
  EXPECT_EQ(first.size(), limits::kNotifiesUnderWayMax);
  for (const auto& send : first) plan.Answered(send.apex, send.remote, At(0));
  EXPECT_EQ(plan.Due(At(0)).size(), 10u);
}

}  // namespace
}  // namespace quorate::api::xfr

#include "replica/configure.h"

#include <gtest/gtest.h>

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

}  // namespace
}  // namespace quorate::replica

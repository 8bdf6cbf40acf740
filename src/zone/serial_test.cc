// RFC 1982 3: over a log that is replayed, a snapshot that is restored or a clock that
// jumps, a serial never goes backwards.
#include "zone/serial.h"

#include <gtest/gtest.h>

#include <vector>

#include "base/rng.h"

namespace quorate::zone {
namespace {

using dns::Serial;

constexpr SerialPolicy kPolicies[] = {SerialPolicy::kIncrement, SerialPolicy::kUnixTime,
                                      SerialPolicy::kDateSerial};

WallTime At(int64_t seconds) { return {std::chrono::seconds(seconds)}; }

uint32_t Next(uint32_t old, SerialPolicy policy, int64_t seconds) {
  return NextSerial(Serial{old}, {policy, At(seconds)}).value;
}

TEST(Serial, Rfc1982Section3EveryPolicyGivesANewerOneWhateverTheClock) {
  Rng rng(1);
  constexpr uint32_t kCorners[] = {0,          1,          0x7ffffffe, 0x7fffffff,
                                   0x80000000, 0x80000001, 0xfffffffe, 0xffffffff};
  std::vector<uint32_t> serials(std::begin(kCorners), std::end(kCorners));
  for (int i = 0; i < 500; ++i) serials.push_back(static_cast<uint32_t>(rng.Next()));
  for (const uint32_t old : serials) {
    // Clocks at every distance from the serial, also those that RFC 1982 leaves without an order.
    for (const uint32_t distance : serials) {
      for (const SerialPolicy policy : kPolicies) {
        const uint32_t next = Next(old, policy, int64_t{old} + distance);
        ASSERT_TRUE(dns::IsNewer(Serial{next}, Serial{old})) << old << " " << distance;
      }
    }
  }
}

TEST(Serial, IncrementWrapsAndZeroIsASerial) {
  EXPECT_EQ(Next(41, SerialPolicy::kIncrement, 1700000000), 42u);
  EXPECT_EQ(Next(0xffffffff, SerialPolicy::kIncrement, 0), 0u);
  EXPECT_EQ(Next(0, SerialPolicy::kIncrement, 0), 1u);
}

TEST(Serial, UnixTimeIsTakenWhereItIsNewer) {
  EXPECT_EQ(Next(7, SerialPolicy::kUnixTime, 1700000000), 1700000000u);
  EXPECT_EQ(Next(1700000000, SerialPolicy::kUnixTime, 1700000000), 1700000001u);
  EXPECT_EQ(Next(1800000000, SerialPolicy::kUnixTime, 1700000000), 1800000001u) << "the clock went back";
  EXPECT_EQ(Next(1700000000u + 0x80000000u, SerialPolicy::kUnixTime, 1700000000), 1700000001u + 0x80000000u)
      << "2^31 apart: no order";
  EXPECT_EQ(Next(1700000001u + 0x80000000u, SerialPolicy::kUnixTime, 1700000000), 1700000000u)
      << "ahead by 2^31 - 1, across the wrap";
  EXPECT_EQ(Next(0xffffffff, SerialPolicy::kUnixTime, 0x1'0000'0000), 0u) << "the year 2106";
}

TEST(Serial, DateSerialCountsWithinADayAndRunsOverIntoTheNext) {
  constexpr int64_t kLeapDay = 1709164800;  // 2024-02-29 00:00:00 UTC
  EXPECT_EQ(Next(7, SerialPolicy::kDateSerial, kLeapDay - 1), 2024022800u);
  EXPECT_EQ(Next(2024022800, SerialPolicy::kDateSerial, kLeapDay), 2024022900u);
  EXPECT_EQ(Next(2024022900, SerialPolicy::kDateSerial, kLeapDay + 86399), 2024022901u);
  EXPECT_EQ(Next(2024022999, SerialPolicy::kDateSerial, kLeapDay), 2024023000u) << "the hundredth of a day";
  EXPECT_EQ(Next(2024023000, SerialPolicy::kDateSerial, kLeapDay + 86400), 2024030100u);
  EXPECT_EQ(Next(2024030100, SerialPolicy::kDateSerial, kLeapDay), 2024030101u) << "the clock went back";
}

}  // namespace
}  // namespace quorate::zone

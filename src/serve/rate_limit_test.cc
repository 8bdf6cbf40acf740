#include "serve/rate_limit.h"

#include <gtest/gtest.h>

namespace quorate::serve {
namespace {

using Verdict = RateLimiter::Verdict;

struct RateLimit : testing::Test {
  Verdict Book(RateLimiter& limiter, const char* client, const char* name = "www.example.",
               uint8_t kind = 0) {
    return limiter.Book(*zone::AddressFromText(client), dns::Name::FromText(name)->wire(), kind, now);
  }
  // Of `count` responses: how many of each verdict.
  std::array<size_t, 3> Many(RateLimiter& limiter, size_t count, const char* client = "192.0.2.1") {
    std::array<size_t, 3> out{};
    for (size_t i = 0; i < count; ++i) ++out[static_cast<size_t>(Book(limiter, client))];
    return out;
  }
  void Pass(int millis) { now = now + std::chrono::milliseconds(millis); }
  static RateLimiter Make(RateLimits limits, size_t accounts = 1024) { return {limits, {1, 2, 3}, accounts}; }

  BootTime now{std::chrono::seconds(1000)};
};

TEST_F(RateLimit, WhatIsOverTheRateIsDroppedAndEverySecondOneSlips) {
  RateLimiter limiter = Make({.per_second = 10, .slip = 2});
  EXPECT_EQ(Many(limiter, 10), (std::array<size_t, 3>{10, 0, 0}));
  EXPECT_EQ(Many(limiter, 20), (std::array<size_t, 3>{0, 10, 10}));
}

TEST_F(RateLimit, SlipOneTruncatesAllAndZeroDropsAll) {
  RateLimiter all = Make({.per_second = 1, .slip = 1}), none = Make({.per_second = 1, .slip = 0});
  EXPECT_EQ(Many(all, 11), (std::array<size_t, 3>{1, 10, 0}));
  EXPECT_EQ(Many(none, 11), (std::array<size_t, 3>{1, 0, 10}));
}

TEST_F(RateLimit, WithinTheRateNobodyIsEverLimited) {
  RateLimiter limiter = Make({.per_second = 10});
  for (int i = 0; i < 1000; ++i, Pass(100)) ASSERT_EQ(Book(limiter, "192.0.2.1"), Verdict::kSend) << i;
}

TEST_F(RateLimit, WhoGoesOnIsLimitedUntilTheWindowHasPassed) {
  RateLimiter limiter = Make({.per_second = 10, .slip = 0, .window = 5});
  Many(limiter, 1000);
  Pass(4900);
  EXPECT_EQ(Book(limiter, "192.0.2.1"), Verdict::kDrop);
  Pass(400);
  EXPECT_EQ(Book(limiter, "192.0.2.1"), Verdict::kSend);
}

TEST_F(RateLimit, ANetworkIsOneClientAndKindsOfAnswersAreCountedApart) {
  RateLimiter limiter = Make({.per_second = 10, .slip = 0});
  Many(limiter, 10);
  EXPECT_EQ(Book(limiter, "192.0.2.254"), Verdict::kDrop);
  EXPECT_EQ(Book(limiter, "192.0.2.254", "WWW.EXAMPLE."), Verdict::kDrop);
  EXPECT_EQ(Book(limiter, "192.0.3.1"), Verdict::kSend);
  EXPECT_EQ(Book(limiter, "192.0.2.1", "mail.example."), Verdict::kSend);
  EXPECT_EQ(Book(limiter, "192.0.2.1", "www.example.", 3), Verdict::kSend);
  Many(limiter, 10, "2001:db8:0:1::1");
  EXPECT_EQ(Book(limiter, "2001:db8:0:ff::2"), Verdict::kDrop);
  EXPECT_EQ(Book(limiter, "2001:db8:0:100::1"), Verdict::kSend);
}

TEST_F(RateLimit, ExemptNetworksAndNoLimit) {
  RateLimiter limiter = Make({.per_second = 1, .exempt = {*zone::NetworkFromText("192.0.2.0/24")}});
  EXPECT_EQ(Many(limiter, 100), (std::array<size_t, 3>{100, 0, 0}));
  RateLimiter off = Make({});
  EXPECT_EQ(Many(off, 100), (std::array<size_t, 3>{100, 0, 0}));
}

TEST_F(RateLimit, AFullTableForgetsWhoIsLongestAtRest) {
  RateLimiter limiter = Make({.per_second = 1, .slip = 0}, 4);
  Many(limiter, 2, "192.0.2.1");
  for (const char* other : {"192.0.3.1", "192.0.4.1", "192.0.5.1"}) {
    Pass(1);
    EXPECT_EQ(Book(limiter, other), Verdict::kSend);
  }
  EXPECT_EQ(Book(limiter, "192.0.2.1"), Verdict::kDrop) << "all have an account";
  Pass(1);
  EXPECT_EQ(Book(limiter, "192.0.6.1"), Verdict::kSend);
  EXPECT_EQ(Book(limiter, "192.0.3.1"), Verdict::kSend) << "the account is a new one";
}

}  // namespace
}  // namespace quorate::serve

#include "wire/name.h"

#include <gtest/gtest.h>

#include "wire/test_util.h"

namespace quorate::wire {
namespace {

WireFault FaultOf(const std::vector<uint8_t>& bytes, size_t offset = 0) {
  NameBuffer out;
  const auto next = DecodeName(bytes, offset, out);
  EXPECT_FALSE(next.ok());
  return next.ok() ? WireFault{} : next.error().fault;
}

std::vector<uint8_t> Labels(size_t count, size_t length) {
  std::vector<uint8_t> out;
  for (size_t i = 0; i < count; ++i) {
    out.push_back(static_cast<uint8_t>(length));
    out.insert(out.end(), length, 'a');
  }
  out.push_back(0);
  return out;
}

TEST(WireName, APlainNameIsReadAndTheOffsetIsBehindIt) {
  NameBuffer out;
  const auto next = DecodeName(Hex("01 61 02 62 63 00 ff"), 0, out);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(*next, 6u);
  EXPECT_EQ(out.view(), std::string_view("\1a\2bc\0", 6));
}

TEST(WireName, APointerIsFollowedAndTheOffsetIsBehindThePointer) {
  NameBuffer out;
  const auto next = DecodeName(Hex("02 62 63 00 01 61 c0 00 ff"), 4, out);
  ASSERT_TRUE(next.ok());
  EXPECT_EQ(*next, 8u);
  EXPECT_EQ(out.view(), std::string_view("\1a\2bc\0", 6));
}

TEST(WireName, Rfc1035Section414PointersGoStrictlyBackwards) {
  EXPECT_EQ(FaultOf(Hex("c0 00")), WireFault::kBadPointer);                 // to itself
  EXPECT_EQ(FaultOf(Hex("c0 02 00")), WireFault::kBadPointer);              // forwards
  EXPECT_EQ(FaultOf(Hex("01 61 c0 00")), WireFault::kBadPointer);           // to its own first label: a loop
  EXPECT_EQ(FaultOf(Hex("c0 02 c0 00"), 2), WireFault::kBadPointer);        // two that point at each other
  EXPECT_EQ(FaultOf(Hex("01 61 01 62 c0 02"), 0), WireFault::kBadPointer);  // into the run it ends
}

TEST(WireName, Rfc1035Section414LabelTypes40And80AreRefused) {
  EXPECT_EQ(FaultOf(Hex("40 61 00")), WireFault::kBadLabel);
  EXPECT_EQ(FaultOf(Hex("80 61 00")), WireFault::kBadLabel);
  EXPECT_EQ(FaultOf(Hex("01 61 7f 00")), WireFault::kBadLabel);
}

TEST(WireName, Rfc1035Section31NamesHave255OctetsAtMost) {
  NameBuffer out;
  EXPECT_TRUE(DecodeName(Labels(127, 1), 0, out).ok());  // 255
  EXPECT_EQ(out.size, 255);
  EXPECT_EQ(FaultOf(Labels(128, 1)), WireFault::kNameTooLong);
  EXPECT_EQ(FaultOf(Labels(4, 63)), WireFault::kNameTooLong);  // 257
  // 200 octets, and 60 more before a pointer to them
  auto bytes = Labels(99, 1);
  const size_t second = bytes.size();
  for (int i = 0; i < 30; ++i) bytes.insert(bytes.end(), {1, 'b'});
  bytes.insert(bytes.end(), {0xc0, 0x00});
  EXPECT_EQ(FaultOf(bytes, second), WireFault::kNameTooLong);
}

TEST(WireName, ANameThatEndsWithTheMessageIsTruncated) {
  EXPECT_EQ(FaultOf({}), WireFault::kTruncated);
  EXPECT_EQ(FaultOf(Hex("01")), WireFault::kTruncated);
  EXPECT_EQ(FaultOf(Hex("01 61")), WireFault::kTruncated);
  EXPECT_EQ(FaultOf(Hex("00 c0"), 1), WireFault::kTruncated);
  EXPECT_EQ(FaultOf(Hex("00"), 7), WireFault::kTruncated);
}

TEST(WireName, AQuestionsNameMayNotBeCompressed) {
  EXPECT_FALSE(SkipPlainName(Hex("00 01 61 c0 00"), 1).ok());
  EXPECT_FALSE(SkipPlainName(Hex("41 61 00"), 0).ok());
  EXPECT_FALSE(SkipPlainName(Labels(128, 1), 0).ok());
  EXPECT_FALSE(SkipPlainName(Hex("03 61"), 0).ok());
  ASSERT_TRUE(SkipPlainName(Labels(127, 1), 0).ok());
  EXPECT_EQ(*SkipPlainName(Labels(127, 1), 0), 255u);
}

TEST(WireName, SkippingAcceptsPointersBackwardsOnly) {
  EXPECT_EQ(*SkipName(Hex("00 01 61 c0 00"), 1), 5u);
  EXPECT_FALSE(SkipName(Hex("00 c0 01"), 1).ok());
  EXPECT_FALSE(SkipName(Hex("00 c0"), 1).ok());
  EXPECT_FALSE(SkipName(Hex("80"), 0).ok());
}

}  // namespace
}  // namespace quorate::wire

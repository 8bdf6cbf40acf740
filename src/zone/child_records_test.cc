// Trap 44.
#include "zone/child_records.h"

#include <gtest/gtest.h>

#include "dns/presentation.h"

namespace quorate::zone {
namespace {

std::string Rdata(dns::RRType type, const char* text) { return *dns::RdataFromText(type, text); }

const dns::Name kApex = *dns::Name::FromText("example."), kBelow = *dns::Name::FromText("www.example.");

std::optional<std::string> Why(dns::RRType type, const char* text, const dns::Name& owner = kApex) {
  return WhyNoChildRecord(kApex, owner, type, Rdata(type, text));
}

TEST(ChildRecords, Rfc7344Section4AndRfc7477Section2TheyStandOnlyAtTheApex) {
  EXPECT_FALSE(Why(dns::RRType::kCDS, "1 8 2 AABB"));
  EXPECT_FALSE(Why(dns::RRType::kCDNSKEY, "257 3 8 AAAA"));
  EXPECT_FALSE(Why(dns::RRType::kCSYNC, "1 3 A NS"));
  EXPECT_TRUE(Why(dns::RRType::kCDS, "1 8 2 AABB", kBelow));
  EXPECT_TRUE(Why(dns::RRType::kCDNSKEY, "257 3 8 AAAA", kBelow));
  EXPECT_TRUE(Why(dns::RRType::kCSYNC, "1 3 A NS", kBelow));
  EXPECT_FALSE(Why(dns::RRType::kDS, "1 8 2 AABB", kBelow));
  EXPECT_FALSE(WhyNoChildRecord(kApex, *dns::Name::FromText("EXAMPLE."), dns::RRType::kCDS,
                                Rdata(dns::RRType::kCDS, "1 8 2 AABB")));
}

TEST(ChildRecords, Rfc8078Section4OnlyTheDeleteFormHasAlgorithm0) {
  EXPECT_FALSE(Why(dns::RRType::kCDS, "0 0 0 00"));
  EXPECT_FALSE(Why(dns::RRType::kCDNSKEY, "0 3 0 AA=="));
  EXPECT_TRUE(Why(dns::RRType::kCDS, "1 0 0 00"));
  EXPECT_TRUE(Why(dns::RRType::kCDS, "0 0 2 00"));
  EXPECT_TRUE(Why(dns::RRType::kCDS, "0 0 0 0000"));
  EXPECT_TRUE(Why(dns::RRType::kCDNSKEY, "257 3 0 AA=="));
  EXPECT_TRUE(Why(dns::RRType::kCDNSKEY, "0 3 0 AQ=="));
}

TEST(ChildRecords, Rfc8078Section4TheDeleteFormStandsAlone) {
  const std::string gone = Rdata(dns::RRType::kCDS, "0 0 0 00"), key = Rdata(dns::RRType::kCDS, "1 8 2 AABB");
  EXPECT_FALSE(WhyNoChildRRset(dns::RRType::kCDS, std::vector{gone}));
  EXPECT_FALSE(WhyNoChildRRset(dns::RRType::kCDS, std::vector{key, key}));
  EXPECT_TRUE(WhyNoChildRRset(dns::RRType::kCDS, std::vector{key, gone}));
  EXPECT_TRUE(WhyNoChildRRset(
      dns::RRType::kCDNSKEY,
      std::vector{Rdata(dns::RRType::kCDNSKEY, "0 3 0 AA=="), Rdata(dns::RRType::kCDNSKEY, "257 3 8 AAAA")}));
  EXPECT_FALSE(WhyNoChildRRset(dns::RRType::kTXT, std::vector<std::string>{"\0\0\0\0\0", "x"}));
}

}  // namespace
}  // namespace quorate::zone

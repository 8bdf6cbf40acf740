#include "dns/rr.h"

#include <gtest/gtest.h>

#include "dns/presentation.h"
#include "dns/rdata.h"

namespace quorate::dns {
namespace {

using std::string_literals::operator""s;

std::string Rdata(RRType type, std::string_view text) { return *RdataFromText(type, text); }

TEST(RRset, Rfc2181Section5DuplicatesAreOneRecord) {
  RRset set{.type = RRType::kA, .rdata = {"bbbb", "aaaa", "bbbb"}};
  Canonicalize(set);
  EXPECT_EQ(set.rdata, (std::vector<std::string>{"aaaa", "bbbb"}));
}

TEST(RRset, Rfc4034Section62NamesInListedTypesAreComparedWithoutCase) {
  RRset mx{.type = RRType::kMX, .rdata = {Rdata(RRType::kMX, "10 mail."), Rdata(RRType::kMX, "10 MAIL.")}};
  Canonicalize(mx);
  EXPECT_EQ(mx.rdata.size(), 1u);
  RRset txt{.type = RRType::kTXT, .rdata = {Rdata(RRType::kTXT, "a"), Rdata(RRType::kTXT, "A")}};
  Canonicalize(txt);
  EXPECT_EQ(txt.rdata.size(), 2u);
  RRset nsec{.type = RRType::kNSEC, .rdata = {Rdata(RRType::kNSEC, "a. A"), Rdata(RRType::kNSEC, "A. A")}};
  Canonicalize(nsec);
  EXPECT_EQ(nsec.rdata.size(), 2u) << "RFC 6840 5.1 took NSEC off the list";
}

TEST(RRset, TheOrderDoesNotDependOnTheOrderOfArrival) {
  std::vector<std::string> rdata = {Rdata(RRType::kNS, "b."), Rdata(RRType::kNS, "A."),
                                    Rdata(RRType::kNS, "a."), Rdata(RRType::kNS, "C.")};
  std::sort(rdata.begin(), rdata.end());
  std::optional<RRset> first;
  do {
    RRset set{.type = RRType::kNS, .rdata = rdata};
    Canonicalize(set);
    if (!first) first = set;
    ASSERT_EQ(set.rdata, first->rdata);
  } while (std::next_permutation(rdata.begin(), rdata.end()));
  EXPECT_EQ(first->rdata.size(), 3u);
}

TEST(Serial, Rfc1982SerialsHaveNoOrderTwoToThe31Apart) {
  EXPECT_TRUE(IsNewer({1}, {0}));
  EXPECT_TRUE(IsNewer({0}, {0xffffffff}));
  EXPECT_FALSE(IsNewer({7}, {7}));
  EXPECT_TRUE(IsNewer({0x7fffffff}, {0}));
  EXPECT_FALSE(IsNewer({0x80000000}, {0}));
  EXPECT_FALSE(IsNewer({0}, {0x80000000}));
}

TEST(SoaRdata, IsReadAndWritten) {
  const std::string rdata = Rdata(RRType::kSOA, "ns.example. h.example. 4294967295 2 3 4 5");
  const auto soa = ParseSoa(rdata);
  ASSERT_TRUE(soa);
  EXPECT_EQ(soa->serial.value, 4294967295u);
  EXPECT_EQ(soa->minimum, 5u);
  EXPECT_EQ(EncodeSoa(*soa), rdata);
  EXPECT_FALSE(ParseSoa(rdata + "x"));
  EXPECT_FALSE(ParseSoa(std::string_view(rdata).substr(1)));
}

TEST(RRType, Rfc6895Section31MetaTypesAreNeverInAZone) {
  for (const RRType type :
       {RRType::kOPT, RRType::kANY, RRType::kAXFR, RRType::kTSIG, static_cast<RRType>(0)}) {
    EXPECT_TRUE(IsMetaType(type));
  }
  EXPECT_FALSE(IsMetaType(RRType::kA));
  EXPECT_FALSE(IsMetaType(static_cast<RRType>(65280)));
}

TEST(RdataShape, NamesInRdataAreFound) {
  const std::string srv = Rdata(RRType::kSRV, "1 2 53 a.b.");
  EXPECT_EQ(FirstName(RRType::kSRV, srv)->name, "\1a\1b\0"s);
  EXPECT_EQ(FirstName(RRType::kSRV, srv)->before.size(), 6u);
  EXPECT_FALSE(FirstName(RRType::kA, "abcd"));
  EXPECT_FALSE(FirstName(RRType::kMX, "\0\1\5ab"s));
}

}  // namespace
}  // namespace quorate::dns

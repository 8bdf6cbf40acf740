#include "zone/store_keys.h"

#include <gtest/gtest.h>

#include "base/rng.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::RRType;
using std::string_literals::operator""s;

TEST(StoreKeys, AreReadable) {
  EXPECT_EQ(RecordKey(N("."), N("."), RRType::kSOA), "/dns/./ SOA");
  EXPECT_EQ(RecordKey(N("."), N("org"), RRType::kNS), "/dns/./org NS");
  EXPECT_EQ(RecordKey(N("Example.org"), N("WWW.example.ORG"), RRType::kA), "/dns/example.org./www A");
  EXPECT_EQ(RecordKey(N("org"), N("ns1.example.org"), RRType::kAAAA), "/dns/org./example!ns1 AAAA");
  EXPECT_EQ(RecordKey(N("org"), N("*.a-b.org"), static_cast<RRType>(65280)), "/dns/org./a-b!* TYPE65280");
  EXPECT_EQ(RecordKey(N("0/25.in-addr.arpa"), N("1/2.0/25.in-addr.arpa"), RRType::kPTR),
            "/dns/0\\04725.in-addr.arpa./1/2 PTR");
  EXPECT_EQ(RecordKey(N("org"), N("a\\032b\\!\\255.org"), RRType::kA), "/dns/org./a%20b%21~ff A");
}

Name RandomBelow(const Name& zone, Rng& rng) {
  static const std::string kOctets = "ab-*./!% ~_\0\1\x20\x22\x25\x26\x7d\x7f\xff"s;
  std::string labels;
  for (uint64_t i = rng.Below(4); i > 0; --i) {
    const uint64_t length = 1 + rng.Below(3);
    labels.push_back(static_cast<char>(length));
    for (uint64_t k = 0; k < length; ++k) labels.push_back(kOctets[rng.Below(kOctets.size())]);
  }
  return *Name::Concatenate(labels, zone);
}

TEST(StoreKeys, SortAsTheNamesOfRfc4034Section61AndReadBack) {
  Rng rng(3);
  for (int i = 0; i < 100000; ++i) {
    const Name zone = RandomBelow(Name(), rng);
    const Name a = RandomBelow(zone, rng), b = RandomBelow(zone, rng);
    const std::string ka = RecordKey(zone, a, RRType::kA), kb = RecordKey(zone, b, RRType::kA);
    ASSERT_EQ(a <=> b, ka <=> kb) << ka << " " << kb;
    // Whatever the types, names come first.
    if (a < b) {
      ASSERT_LT(RecordKey(zone, a, static_cast<RRType>(256)), kb);
    }
    const auto parts = ParseRecordKey(ka);
    ASSERT_TRUE(parts) << ka;
    ASSERT_EQ(parts->zone.wire(), zone.Folded().wire());
    ASSERT_EQ(parts->owner.wire(), a.Folded().wire());
    ASSERT_EQ(parts->type, RRType::kA);
  }
}

TEST(StoreKeys, RangesOfZonesNeverOverlapNestedOnesIncluded) {
  Rng rng(4);
  for (int i = 0; i < 20000; ++i) {
    const Name outer = RandomBelow(Name(), rng);
    const Name inner = RandomBelow(outer, rng);
    const Name owner = RandomBelow(inner, rng);
    const auto [first, end] = ZoneRange(outer);
    const std::string key = RecordKey(inner, owner, RRType::kTXT);
    ASSERT_EQ(first <= key && key < end, inner == outer) << key << " " << first;
  }
}

TEST(StoreKeys, EveryTypeReadsBack) {
  for (uint32_t type = 0; type < 65536; ++type) {
    const std::string key = RecordKey(N("org"), N("a.org"), static_cast<RRType>(type));
    const auto parts = ParseRecordKey(key);
    ASSERT_TRUE(parts) << key;
    ASSERT_EQ(static_cast<uint32_t>(parts->type), type);
  }
}

TEST(StoreKeys, KeysThatRecordKeyDoesNotMakeAreRefused) {
  for (const std::string& bad : {"/dns/"s,
                                 "/dns/org./"s,
                                 "/dns/org./a"s,
                                 "/dns/org/a A"s,
                                 "/dns/Org./a A"s,
                                 "/dns/org./A A"s,
                                 "/dns/org./a TYPE1"s,
                                 "/dns/org./a TYPE01"s,
                                 "/dns/org./a TYPE65536"s,
                                 "/dns/org./a NOPE"s,
                                 "/dns/org./a! A"s,
                                 "/dns/org./!a A"s,
                                 "/dns/org./a%6 A"s,
                                 "/dns/org./a%62 A"s,
                                 "/dns/org./a%FF A"s,
                                 "/dns/org./a "s,
                                 "/dnx/./ A"s,
                                 "/dns//a A"s,
                                 "/dns/.. /a A"s,
                                 "/dns/org./"s + std::string(64, 'a') + " A"}) {
    EXPECT_FALSE(ParseRecordKey(bad)) << bad;
  }
}

TEST(StoreValues, ReadBackWithTheirCase) {
  const dns::RRset set{.owner = N("WWW.example"), .type = RRType::kA, .ttl = 300, .rdata = {"abcd", ""}};
  const auto back = DecodeRRset(RRType::kA, EncodeRRset(set));
  ASSERT_TRUE(back);
  EXPECT_EQ(*back, set);
  EXPECT_EQ(back->owner.wire(), set.owner.wire());
}

TEST(StoreValues, TheFormatIsTheDocumentedOne) {
  const dns::RRset set{.owner = N("a"), .type = RRType::kA, .ttl = 0x01020304, .rdata = {"abcd", "efgh"}};
  EXPECT_EQ(EncodeRRset(set), "\1\4\3\2\1\3\1a\0\2\4abcd\4efgh"s);
}

TEST(StoreValues, AnyOtherBytesAreRefused) {
  const dns::RRset set{.owner = N("a.b"), .type = RRType::kA, .ttl = 300, .rdata = {"abcd", "efgh"}};
  const std::string good = EncodeRRset(set);
  for (size_t cut = 0; cut < good.size(); ++cut) EXPECT_FALSE(DecodeRRset(RRType::kA, good.substr(0, cut)));
  EXPECT_FALSE(DecodeRRset(RRType::kA, good + "x"));
  EXPECT_FALSE(DecodeRRset(RRType::kA, "\2" + good.substr(1))) << "an unknown version is an error";
  Rng rng(5);
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good;
    bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    const auto decoded = DecodeRRset(RRType::kA, bytes);
    if (decoded) {
      ASSERT_EQ(EncodeRRset(*decoded), bytes);
    }
  }
}

}  // namespace
}  // namespace quorate::zone

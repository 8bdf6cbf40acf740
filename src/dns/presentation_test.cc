#include "dns/presentation.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "base/rng.h"
#include "dns/rdata.h"

namespace quorate::dns {
namespace {

using std::string_literals::operator""s;
using testing::HasSubstr;

std::vector<TextRecord> Parse(std::string_view text, std::optional<TextError>* error = nullptr) {
  std::vector<TextRecord> records;
  auto failed = ParseZoneText(text, {.origin = *Name::FromText("example.")}, [&](TextRecord&& record) {
    records.push_back(std::move(record));
    return ""s;
  });
  if (error != nullptr) {
    *error = failed;
  } else {
    EXPECT_FALSE(failed) << failed->what;
  }
  return records;
}

void ExpectError(std::string_view text, uint64_t line, uint64_t column, std::string_view what) {
  std::optional<TextError> error;
  Parse(text, &error);
  ASSERT_TRUE(error) << text;
  EXPECT_EQ(error->line, line) << text << error->what;
  EXPECT_EQ(error->column, column) << text << error->what;
  EXPECT_THAT(error->what, HasSubstr(what));
}

TEST(ZoneText, AMalformedLineIsNamedByLineColumnAndToken) {
  ExpectError("a 60 IN A 1.2.3.4\nb IN A 1.2.3.999\n", 2, 8, "1.2.3.999");
  ExpectError("a 60 IN A 1.2.3.4\nb IN A 1.2.3.999", 2, 8, "1.2.3.999");
  ExpectError("a 60 IN FOO 1.2.3.4\n", 1, 9, "FOO");
  ExpectError("a 60 IN MX 10 mail foo\n", 1, 20, "foo");
  ExpectError("@ SOA a b (\n 1 ; x\n 2x 3 4 5 )\n", 3, 2, "2x");
  ExpectError("\n\n  A 1.2.3.4\n", 3, 1, "owner");
  ExpectError("a 4294967296 A 1.2.3.4\n", 1, 3, "4294967296");
  ExpectError("a CH A 1.1.1.1\n", 1, 3, "CH");
}

TEST(ZoneText, MetaTypesAndMalformedRdataOfKnownTypesAreRefused) {
  ExpectError("a TYPE255 \\# 0\n", 1, 1, "meta type");
  ExpectError("a TYPE41 \\# 0\n", 1, 1, "meta type");
  ExpectError("b 60 A \\# 3 010203\n", 1, 1, "not valid for type A");
  ExpectError("b 60 SVCB \\# 3 010203\n", 1, 1, "not valid for type SVCB");
}

TEST(ZoneText, TheCallersReasonStopsTheReading) {
  int seen = 0;
  auto error = ParseZoneText("a A 1.1.1.1\nb A 1.1.1.1\nc A 1.1.1.1\n", {},
                             [&](TextRecord&&) { return ++seen == 2 ? "enough"s : ""s; });
  ASSERT_TRUE(error);
  EXPECT_EQ(error->line, 2u);
  EXPECT_EQ(error->what, "enough");
  EXPECT_EQ(seen, 2);
}

TEST(ZoneText, Rfc1035Section51MasterFileFormIsUnderstood) {
  const auto records = Parse(
      "$TTL 1h\n"
      "@ IN 60 SOA ns hostmaster (1 2h\n 3 4 5)\n"
      "  NS ns\n"
      "$ORIGIN Sub.example.\n"
      "  120 IN TXT \"a;b\" c ( \"(\" )\n"
      "a\\.b A 192.0.2.1 ; comment\n"
      "\\@ IN AAAA 2001:db8::1");
  ASSERT_EQ(records.size(), 5u);
  EXPECT_EQ(records[0].owner.ToText(), "example.");
  EXPECT_EQ(ParseSoa(records[0].rdata)->refresh, 7200u);
  EXPECT_EQ(records[1].ttl, 3600u);
  EXPECT_EQ(records[2].owner.ToText(), "example.")
      << "a blank owner is the previous owner, after $ORIGIN too";
  EXPECT_EQ(records[2].rdata, "\3a;b\1c\1("s);
  EXPECT_EQ(records[3].owner.ToText(), "a\\.b.Sub.example.");
  EXPECT_EQ(records[4].owner.ToText(), "\\@.Sub.example.");
}

TEST(ZoneText, TheRealRootZoneIsReadWhole) {
  std::ifstream file(QUORATE_SOURCE_DIR "/tests/data/root.zone");
  std::stringstream text;
  text << file.rdbuf();
  size_t count = 0;
  auto error = ParseZoneText(text.str(), {.origin = Name()}, [&](TextRecord&& record) {
    ++count;
    const auto back = RdataFromText(record.type, RdataToText(record.type, record.rdata));
    EXPECT_TRUE(back.ok() && *back == record.rdata) << RdataToText(record.type, record.rdata);
    return ""s;
  });
  EXPECT_FALSE(error);
  EXPECT_EQ(count, 3979u);
}

TEST(RdataText, EveryTypeGoesToTextAndBack) {
  const std::vector<std::pair<std::string, std::string>> cases = {
      {"A", "192.0.2.1"},
      {"AAAA", "2001:db8::1"},
      {"NS", "ns.example."},
      {"SOA", "ns.example. h.example. 1 2 3 4 5"},
      {"MX", "10 mail.example."},
      {"TXT", "\"a b\" \"\\255\""},
      {"SRV", "1 2 53 a.example."},
      {"NAPTR", "1 2 \"u\" \"E2U+sip\" \"!^.*$!sip:a@b!\" ."},
      {"CAA", "0 issue \"ca.example\""},
      {"LOC", "52 14 05.000 N 0 8 50.000 E 10.00m 1m 10000m 10m"},
      {"SVCB", "1 svc.example. alpn=\"h2,h3\" port=\"8443\" ipv4hint=\"192.0.2.1\""},
      {"HTTPS", "0 svc.example."},
      {"APL", "1:192.0.2.0/24 !2:2001:db8::/32"},
      {"IPSECKEY", "10 1 2 192.0.2.38 AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
      {"TLSA", "3 1 1 AABB"},
      {"SSHFP", "1 1 AABB"},
      {"DS", "1 8 2 AABB"},
      {"CDS", "0 0 0 00"},
      {"NSEC", "a.example. A NS RRSIG NSEC TYPE65280"},
      {"NSEC3PARAM", "1 0 0 -"},
      {"URI", "10 1 \"https://example/\""},
      {"EUI48", "00-00-5e-00-53-2a"},
      {"CERT", "1 2 8 AABB"},
      {"TYPE65280", "\\# 4 C0000201"},
      {"TYPE65280", "\\# 0"},
  };
  for (const auto& [type_text, text] : cases) {
    const auto type = TypeFromText(type_text);
    ASSERT_TRUE(type) << type_text;
    const auto rdata = RdataFromText(*type, text);
    ASSERT_TRUE(rdata.ok()) << type_text << " " << text << ": " << rdata.error().what;
    EXPECT_TRUE(IsValidRdata(*type, *rdata)) << type_text;
    const auto back = RdataFromText(*type, RdataToText(*type, *rdata));
    ASSERT_TRUE(back.ok()) << type_text << " " << RdataToText(*type, *rdata) << ": " << back.error().what;
    EXPECT_EQ(*back, *rdata) << type_text;
  }
}

TEST(RdataText, RelativeNamesEndInTheOriginAndKnownTypesTakeTheGenericForm) {
  EXPECT_EQ(*RdataFromText(RRType::kMX, "10 mail", *Name::FromText("example.")), "\0\12\4mail\7example\0"s);
  EXPECT_EQ(*RdataFromText(RRType::kA, "\\# 4 C0000201"), "\xc0\0\2\1"s);
}

TEST(RdataText, BadTextIsAnErrorWithItsColumn) {
  const auto bad = RdataFromText(RRType::kMX, "10 a b");
  ASSERT_FALSE(bad.ok());
  EXPECT_EQ(bad.error().column, 6u);
  for (const std::string text : {"", "1.2.3", "1.2.3.4 5", "1.2.3.4\nb A 1.1.1.1", "1.2.3.4\n$INCLUDE x"}) {
    EXPECT_FALSE(RdataFromText(RRType::kA, text).ok()) << text;
  }
  EXPECT_FALSE(RdataFromText(RRType::kANY, "\\# 0").ok());
}

TEST(RdataText, ATextStringOver255OctetsBecomesSeveral) {
  const auto rdata = RdataFromText(RRType::kTXT, "\"" + std::string(256, 'x') + "\"");
  ASSERT_TRUE(rdata.ok());
  EXPECT_EQ(*rdata, "\xff" + std::string(255, 'x') + "\1x");
  EXPECT_FALSE(RdataFromText(RRType::kHINFO, "\"" + std::string(256, 'x') + "\" b").ok());
}

TEST(RdataText, MalformedRdataComesOutInGenericForm) {
  EXPECT_EQ(RdataToText(RRType::kA, "abc"), "\\# 3 616263");
  EXPECT_EQ(RdataToText(RRType::kMX, ""), "\\# 0");
}

// Types whose rdata have an inner structure that random octets never meet: good ones, a little damaged.
TEST(RdataText, DamagedRdataIsEitherRefusedOrSurvivesTheText) {
  const std::vector<std::pair<RRType, std::string>> seeds = {
      {RRType::kSVCB,
       "1 svc.example. mandatory=alpn,port alpn=\"h2,h3\" port=8443 ipv4hint=192.0.2.1,192.0.2.2"},
      {RRType::kHTTPS, "1 . alpn=h2 no-default-alpn ech=AAAA ipv6hint=2001:db8::1 key65280=abc"},
      {RRType::kHTTPS, "0 svc.example."},
      {static_cast<RRType>(29), "52 14 05.000 N 0 8 50.000 E 10.00m 1m 10000m 10m"},
      {static_cast<RRType>(42), "1:192.0.2.0/24 !2:2001:db8::/32 1:0.0.0.0/0"},
      {static_cast<RRType>(45), "10 3 2 gw.example. AQNRU3mG7TVTO2BkR47usntb102uFJtugbo6BSGvgqt4AQ=="},
      {static_cast<RRType>(45), "10 1 2 192.0.2.1 AAAA"},
      {static_cast<RRType>(257), "0 issue \"ca.example; a=b\""},
      {RRType::kNSEC, "a.example. A NS RRSIG NSEC TYPE65280"},
      {RRType::kNSEC3, "1 1 12 aabb 2vptu5timamqttgl4luu9kg21e0aor3s A RRSIG"},
      {RRType::kRRSIG, "A 8 2 3600 20300101000000 20260101000000 1 example. AAAA"},
  };
  Rng rng(8);
  size_t valid = 0;
  for (int i = 0; i < 15000; ++i) {
    const auto& [type, text] = seeds[rng.Below(seeds.size())];
    std::string rdata = *RdataFromText(type, text);
    for (uint64_t k = 1 + rng.Below(3); k > 0 && !rdata.empty(); --k) {
      const size_t at = rng.Below(rdata.size());
      const uint64_t how = rng.Below(4);
      if (how == 0) rdata.erase(at, 1 + rng.Below(4));
      if (how == 1) rdata.insert(at, 1 + rng.Below(3), static_cast<char>(rng.Below(8)));
      if (how >= 2) rdata[at] = static_cast<char>(rng.Chance(1, 2) ? rng.Below(10) : rng.Next());
    }
    const std::string written = RdataToText(type, rdata);
    if (!IsValidRdata(type, rdata)) continue;
    ++valid;
    const auto back = RdataFromText(type, written);
    ASSERT_TRUE(back.ok()) << TypeToText(type) << " " << written << ": " << back.error().what;
    ASSERT_EQ(*back, rdata) << TypeToText(type) << " " << written;
  }
  EXPECT_GT(valid, 2000u);
}

TEST(RdataText, AnyOctetsAreEitherRefusedOrSurviveTheText) {
  Rng rng(7);
  for (int i = 0; i < 15000; ++i) {
    const auto type = static_cast<RRType>(rng.Chance(1, 8) ? 256 + rng.Below(2) : 1 + rng.Below(110));
    std::string rdata(rng.Below(24), '\0');
    for (char& c : rdata) c = static_cast<char>(rng.Chance(1, 2) ? rng.Below(6) : rng.Next());
    const bool valid = IsValidRdata(type, rdata);
    const std::string text = RdataToText(type, rdata);
    if (!valid || IsMetaType(type)) continue;
    const auto back = RdataFromText(type, text);
    ASSERT_TRUE(back.ok()) << TypeToText(type) << " " << text << ": " << back.error().what;
    ASSERT_EQ(*back, rdata) << TypeToText(type) << " " << text;
  }
}

TEST(ZoneText, NamesOfAnyOctetsSurviveTheirText) {
  for (int octet = 0; octet < 256; ++octet) {
    const Name owner =
        *Name::Concatenate(std::string("\3a") + static_cast<char>(octet) + "b", *Name::FromText("example."));
    const RRset made{owner, RRType::kPTR, 60, {std::string(owner.wire())}};
    std::vector<TextRecord> read;
    const auto error = ParseZoneText(RRsetToText(made), {}, [&](TextRecord&& record) {
      read.push_back(std::move(record));
      return std::string();
    });
    ASSERT_FALSE(error.has_value()) << octet << ": " << error->what;
    ASSERT_EQ(read.size(), 1u);
    EXPECT_EQ(read[0].owner.wire(), owner.wire()) << octet;
    EXPECT_EQ(read[0].rdata, made.rdata[0]) << octet;
  }
}

TEST(RRTypeText, MnemonicsAndRfc3597TypesAreReadInAnyCase) {
  EXPECT_EQ(TypeFromText("aaaa"), RRType::kAAAA);
  EXPECT_EQ(TypeFromText("Type1"), RRType::kA);
  EXPECT_EQ(TypeToText(static_cast<RRType>(65280)), "TYPE65280");
  EXPECT_FALSE(TypeFromText("NOPE"));
  EXPECT_FALSE(TypeFromText("TYPE65536"));
  EXPECT_FALSE(TypeFromText(""));
}

}  // namespace
}  // namespace quorate::dns

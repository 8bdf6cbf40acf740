#include "wire/query.h"

#include <gtest/gtest.h>

#include "wire/test_util.h"

namespace quorate::wire {
namespace {

const std::string kQuestion = "01 41 02 62 63 00 0001 0001";  // A.bc. A IN
const std::string kOpt = "00 0029 04d0 00 00 8000 0000";      // 1232 octets, DO
const std::string kCookieOpt = "00 0029 04d0 00 00 0000 000c 000a 0008 0102030405060708";

// id 0x1234, then flags, counts, body
QueryParse Parse(const std::string& flags_and_rest, std::vector<uint8_t>& memory) {
  memory = Hex("1234" + flags_and_rest);
  return ParseQuery(memory);
}

QueryVerdict VerdictOf(const std::string& flags_and_rest) {
  std::vector<uint8_t> memory;
  return Parse(flags_and_rest, memory).verdict;
}

TEST(WireQuery, APlainQuestionIsSeenAsItIs) {
  std::vector<uint8_t> memory;
  const QueryParse parse = Parse("0110 0001 0000 0000 0000" + kQuestion, memory);
  ASSERT_EQ(parse.verdict, QueryVerdict::kQuery);
  EXPECT_EQ(parse.view.header.id, 0x1234);
  EXPECT_TRUE(parse.view.header.has(kFlagRD));
  EXPECT_TRUE(parse.view.header.has(kFlagCD));
  EXPECT_EQ(parse.view.qname, std::string_view("\1A\2bc\0", 6));
  EXPECT_EQ(parse.view.qtype, dns::RRType::kA);
  EXPECT_EQ(parse.view.qclass, dns::RRClass::kIN);
  EXPECT_FALSE(parse.view.edns.has_value());
}

TEST(WireQuery, OptIsRead) {
  std::vector<uint8_t> memory;
  const QueryParse parse = Parse("0000 0001 0000 0000 0001" + kQuestion + kOpt, memory);
  ASSERT_EQ(parse.verdict, QueryVerdict::kQuery);
  ASSERT_TRUE(parse.view.edns.has_value());
  EXPECT_EQ(parse.view.edns->udp_size, 1232);
  EXPECT_TRUE(parse.view.edns->dnssec_ok);
  EXPECT_EQ(parse.view.edns->version, 0);
}

TEST(WireQuery, Rfc6891Section623ASizeBelow512Means512) {
  std::vector<uint8_t> memory;
  const auto parse = Parse("0000 0001 0000 0000 0001" + kQuestion + "00 0029 0010 00 01 0000 0000", memory);
  ASSERT_EQ(parse.verdict, QueryVerdict::kQuery);
  EXPECT_EQ(parse.view.edns->udp_size, 512);
  EXPECT_EQ(parse.view.edns->version, 1);
}

TEST(WireQuery, Rfc8906ShortMessagesAndResponsesAreDropped) {
  EXPECT_EQ(VerdictOf(""), QueryVerdict::kDrop);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 00"), QueryVerdict::kDrop);
  EXPECT_EQ(VerdictOf("8000 0001 0000 0000 0000" + kQuestion), QueryVerdict::kDrop);
  EXPECT_EQ(VerdictOf("a800 0001 0000 0000 0000" + kQuestion), QueryVerdict::kDrop);  // a response to UPDATE
}

TEST(WireQuery, OtherOpcodesAreToldApartWhateverFollows) {
  for (const char* flags : {"0800", "1000", "2000", "2800", "7800"})
    EXPECT_EQ(VerdictOf(std::string(flags) + "ffff ffff ffff ffff 99"), QueryVerdict::kOtherOpcode);
}

TEST(WireQuery, Rfc9619Section4AQueryHasOneQuestion) {
  EXPECT_EQ(VerdictOf("0000 0000 0000 0000 0000"), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0002 0000 0000 0000" + kQuestion + kQuestion), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0000 0000 0000 0001" + kOpt), QueryVerdict::kFormErr);
}

TEST(WireQuery, Rfc7873Section54NoQuestionButACookieIsLegal) {
  EXPECT_EQ(VerdictOf("0000 0000 0000 0000 0001" + kCookieOpt), QueryVerdict::kQuery);
}

TEST(WireQuery, AnswersAuthorityAndTrailingOctetsAreFormErr) {
  const std::string a = "c00c 0001 0001 00000000 0004 c0000201";
  EXPECT_EQ(VerdictOf("0000 0001 0001 0000 0000" + kQuestion + a), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0001 0000" + kQuestion + a), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + a), QueryVerdict::kQuery);  // ignored
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000" + kQuestion + "00"), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0002" + kQuestion + a), QueryVerdict::kFormErr);  // one is missing
}

TEST(WireQuery, AnIxfrQuestionCarriesItsSoaInTheAuthoritySection) {
  EXPECT_EQ(VerdictOf("0000 0001 0000 0001 0000 00 00fb 0001 00 0006 0001 00000000 0000"),
            QueryVerdict::kQuery);
}

TEST(WireQuery, AQuestionThatCannotBeReadIsFormErr) {
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000"), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000 c00c 0001 0001"), QueryVerdict::kFormErr);  // loop
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000 c000 0001 0001"), QueryVerdict::kFormErr);  // into the header
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000 4161 0001 0001"), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0000 00 0001 00"), QueryVerdict::kFormErr);
}

TEST(WireQuery, Rfc6891Section611OneOptAndAtTheRoot) {
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0002" + kQuestion + kOpt + kOpt), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "01 61" + kOpt), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "c00c 0029 04d0 00000000 0000"),
            QueryVerdict::kFormErr);
}

TEST(WireQuery, Rfc8945Section52TsigIsTheLastRecordOfTheAdditionalSection) {
  const std::string tsig = "00 00fa 00ff 00000000 0000";
  std::vector<uint8_t> memory;
  EXPECT_TRUE(Parse("0000 0001 0000 0000 0001" + kQuestion + tsig, memory).view.has_tsig);
  EXPECT_TRUE(Parse("0000 0001 0000 0000 0002" + kQuestion + kOpt + tsig, memory).view.has_tsig);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0002" + kQuestion + kOpt + tsig), QueryVerdict::kQuery);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0002" + kQuestion + tsig + kOpt), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0002" + kQuestion + tsig + tsig), QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0001 0000 00 00fb 0001" + tsig), QueryVerdict::kFormErr);
}

TEST(WireQuery, OptionsThatRunOverTheirRecordAreFormErrAndUnknownOnesAreNot) {
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "00 0029 04d0 00000000 0003 000a00"),
            QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "00 0029 04d0 00000000 0005 000a0002 00"),
            QueryVerdict::kFormErr);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "00 0029 04d0 00000000 0005 fde90001 00"),
            QueryVerdict::kQuery);
  EXPECT_EQ(VerdictOf("0000 0001 0000 0000 0001" + kQuestion + "00 0029 04d0 00000000 0009 fde90001 00"),
            QueryVerdict::kFormErr);  // RDLENGTH past the end
}

TEST(WireQuery, DamagedQueriesNeverLeadOutsideTheMessage) {
  Rng rng(20240607);
  const auto seed =
      Hex("1234 0110 0001 0000 0000 0002" + kQuestion + kCookieOpt + "c00c 0001 0001 00000000 0004 c0000201");
  size_t accepted = 0;
  for (int i = 0; i < 200000; ++i) {
    const auto bytes = Damage(seed, rng);
    const QueryParse parse = ParseQuery(bytes);
    if (parse.verdict != QueryVerdict::kQuery || !parse.view.has_question) continue;
    ++accepted;
    const auto* end = reinterpret_cast<const char*>(bytes.data() + bytes.size());
    ASSERT_LE(parse.view.qname.data() + parse.view.qname.size(), end);
    ASSERT_TRUE(dns::Name::FromWire(parse.view.qname).has_value());
  }
  EXPECT_GT(accepted, 1000u);
}

}  // namespace
}  // namespace quorate::wire

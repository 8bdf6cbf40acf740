#include "wire/message.h"

#include <gtest/gtest.h>

#include "wire/test_util.h"
#include "wire/writer.h"

namespace quorate::wire {
namespace {

dns::Name N(std::string_view text) { return *dns::Name::FromText(text); }
std::string W(std::string_view text) { return std::string(N(text).wire()); }

WireFault FaultOf(const std::string& hex) {
  const auto m = ParseMessage(Hex(hex));
  EXPECT_FALSE(m.ok());
  return m.ok() ? WireFault{} : m.error().fault;
}

Message Sample() {
  Message m = MakeQuery(7, N("www.Example.org."), dns::RRType::kA);
  m.response = m.aa = m.rd = true;
  m.rcode = dns::Rcode::kBadVers;
  m.edns->options.push_back({65001, "xyz"});
  m.answer.push_back(
      {N("www.example.org."), dns::RRType::kCNAME, dns::RRClass::kIN, 60, W("web.example.org.")});
  m.answer.push_back(
      {N("web.example.org."), dns::RRType::kA, dns::RRClass::kIN, 60, std::string("\xc0\0\2\1", 4)});
  m.authority.push_back({N("example.org."), dns::RRType::kSOA, dns::RRClass::kIN, 60,
                         W("ns.example.org.") + W("admin.example.org.") + std::string(20, '\1')});
  m.additional.push_back({N("_x._tcp.example.org."), dns::RRType::kSRV, dns::RRClass::kIN, 60,
                          std::string(6, '\2') + W("web.example.org.")});
  m.additional.push_back({N("u.example.org."), dns::RRType{65280}, dns::RRClass::kIN, 60, "\xc0\x0c"});
  return m;
}

TEST(WireMessage, WhatIsEncodedIsParsedAgain) {
  const auto bytes = EncodeMessage(Sample());
  ASSERT_TRUE(bytes.ok());
  const auto parsed = ParseMessage(AsBytes(*bytes));
  ASSERT_TRUE(parsed.ok()) << FaultText(parsed.error().fault);
  EXPECT_EQ(*parsed, Sample());
}

TEST(WireMessage, Rfc3597Section4OnlyNamesInTheTypesOfRfc1035AreCompressed) {
  const auto bytes = EncodeMessage(Sample());
  ASSERT_TRUE(bytes.ok());
  // In SRV rdata the name is whole; in CNAME rdata a pointer gives "org".
  EXPECT_NE(bytes->find(std::string(6, '\2') + W("web.example.org.")), std::string::npos);
  EXPECT_EQ(bytes->find(std::string("\0\x11", 2) + W("web.example.org.")), std::string::npos);
  EXPECT_NE(bytes->find(std::string("\3web\7example\xc0", 13)), std::string::npos);
}

TEST(WireMessage, Rfc3597Section4CompressedNamesAreDecodedInSrvAndNaptr) {
  const std::string head = "0001 8400 0001 0001 0000 0000 01 61 00 0021 0001";
  const auto srv = ParseMessage(Hex(head + "c00c 0021 0001 00000000 0008 000000000035 c00c"));
  ASSERT_TRUE(srv.ok());
  EXPECT_EQ(srv->answer[0].rdata, std::string("\0\0\0\0\0\x35\1a\0", 9));
  const auto naptr = ParseMessage(Hex(head + "c00c 0023 0001 00000000 000a 00000000 01 75 00 00 c00c"));
  ASSERT_TRUE(naptr.ok()) << FaultText(naptr.error().fault);
  EXPECT_EQ(naptr->answer[0].rdata, std::string("\0\0\0\0\1u\0\0\1a\0", 11));
}

TEST(WireMessage, RdlengthMustFitTheType) {
  const std::string head = "0001 8400 0000 0001 0000 0000 00 ";
  EXPECT_EQ(FaultOf(head + "0001 0001 00000000 0003 010203"), WireFault::kBadRdata);      // A of 3
  EXPECT_EQ(FaultOf(head + "0001 0001 00000000 0005 0102030405"), WireFault::kBadRdata);  // A of 5
  EXPECT_EQ(FaultOf(head + "001c 0001 00000000 0004 01020304"), WireFault::kBadRdata);    // AAAA of 4
  EXPECT_EQ(FaultOf(head + "0002 0001 00000000 0002 0161"), WireFault::kBadRdata);  // NS without its end
  EXPECT_EQ(FaultOf(head + "0002 0001 00000000 0002 0000"), WireFault::kBadRdata);  // NS and one octet
  EXPECT_EQ(FaultOf(head + "0006 0001 00000000 0002 0000"), WireFault::kBadRdata);  // SOA without numbers
  EXPECT_EQ(FaultOf(head + "000f 0001 00000000 0001 00"), WireFault::kBadRdata);    // MX of 1
  EXPECT_EQ(FaultOf(head + "0001 0001 00000000 0000"), WireFault::kBadRdata);       // A of nothing
  EXPECT_EQ(FaultOf(head + "0001 0001 00000000 0009 01020304"), WireFault::kTruncated);
}

TEST(WireMessage, Rfc2136Section24AnRRsetIsNamedWithNoData) {
  EXPECT_TRUE(ParseMessage(Hex("0001 2800 0000 0001 0000 0000 00 0001 00ff 00000000 0000")).ok());
  EXPECT_TRUE(ParseMessage(Hex("0001 2800 0000 0001 0000 0000 00 0006 00fe 00000000 0000")).ok());
}

TEST(WireMessage, CountsAndEndsMustAgree) {
  EXPECT_EQ(FaultOf("0001 0000"), WireFault::kTruncated);
  EXPECT_EQ(FaultOf("0001 0000 0001 0000 0000 0000"), WireFault::kTruncated);
  EXPECT_EQ(FaultOf("0001 0000 0000 ffff 0000 0000"), WireFault::kTruncated);
  EXPECT_EQ(FaultOf("0001 0000 0000 0000 0000 0000 00"), WireFault::kTrailingBytes);
  EXPECT_EQ(FaultOf("0001 0000 0001 0000 0000 0000 00 0001"), WireFault::kTruncated);
}

TEST(WireMessage, OptIsOneAtTheRootInTheAdditionalSection) {
  const std::string opt = "00 0029 04d0 00000000 0000";
  EXPECT_EQ(FaultOf("0001 0000 0000 0000 0000 0002" + opt + opt), WireFault::kDuplicateOpt);
  EXPECT_EQ(FaultOf("0001 0000 0000 0001 0000 0000" + opt), WireFault::kBadOpt);
  EXPECT_EQ(FaultOf("0001 0000 0000 0000 0000 0001 01 61" + opt), WireFault::kBadOpt);
  EXPECT_EQ(FaultOf("0001 0000 0000 0000 0000 0001 00 0029 04d0 00000000 0003 000a01"), WireFault::kBadOpt);
}

TEST(WireMessage, EncodingSaysWhenItDoesNotFit) {
  EXPECT_FALSE(EncodeMessage(Sample(), 100).ok());
  EXPECT_FALSE(EncodeMessage(Sample(), 0).ok());
}

TEST(WireMessage, DamagedMessagesEitherFailOrSurviveARoundTrip) {
  Rng rng(1);
  const auto sample = EncodeMessage(Sample());
  ASSERT_TRUE(sample.ok());
  const std::vector<uint8_t> seed(sample->begin(), sample->end());
  size_t parsed = 0;
  for (int i = 0; i < 100000; ++i) {
    const auto first = ParseMessage(Damage(seed, rng));
    if (!first.ok()) continue;
    ++parsed;
    const auto bytes = EncodeMessage(*first);
    if (!bytes.ok()) continue;
    const auto second = ParseMessage(AsBytes(*bytes));
    ASSERT_TRUE(second.ok());
    ASSERT_EQ(*second, *first);
  }
  EXPECT_GT(parsed, 1000u);
}

}  // namespace
}  // namespace quorate::wire

#include "api/xfr/ixfr_reader.h"

#include <gmock/gmock.h>

#include "api/xfr/test_world.h"
#include "base/rng.h"

namespace quorate::api::xfr {
namespace {

using State = TransferReader::State;
using testing::HasSubstr;

const dns::Name kApex = N("example.org.");

wire::Record R(std::string_view owner, dns::RRType type, std::string_view text, uint32_t ttl = 60) {
  return {N(owner), type, dns::RRClass::kIN, ttl, Rdata(type, text)};
}
wire::Record Soa(uint32_t serial) {
  return R("example.org.", dns::RRType::kSOA, "ns1. admin. " + std::to_string(serial) + " 1 1 1 1");
}
wire::Record A(std::string_view owner, std::string_view address) {
  return R(owner, dns::RRType::kA, address);
}

// A zone at serial 5 with a.example.org. A 192.0.2.1.
zone::ZonePtr Have() {
  World world;
  world.Create("example.org.", "@ 60 SOA ns1. admin. 5 1 1 1 1\n@ 60 NS ns1.\na 60 A 192.0.2.1\n");
  return world.Zone("example.org.");
}

struct Read {
  State state = State::kMore;
  std::string why;
  std::vector<zone::RRsetEdit> edits;
  std::vector<dns::RRset> full;
};
Read ReadMessages(const zone::ZonePtr& have, const std::vector<std::vector<wire::Record>>& messages) {
  Read read;
  TransferReader reader(kApex, have, [&](dns::RRset&& rrset) { read.full.push_back(std::move(rrset)); });
  for (const auto& records : messages) {
    wire::Message message;
    message.id = 7;
    message.response = true;
    message.answer = records;
    const std::string bytes = *wire::EncodeMessage(message);
    read.state = reader.Add(BytesOf(bytes), 7);
  }
  read.why = reader.why();
  read.edits = reader.TakeEdits();
  return read;
}

TEST(TransferReader, Rfc1995Section4_DifferencesOverSeveralMessages) {
  const Read read = ReadMessages(
      Have(), {{Soa(7), Soa(5), A("a.example.org.", "192.0.2.1")},
               {Soa(6), A("a.example.org.", "192.0.2.2"), Soa(6), A("a.example.org.", "192.0.2.2")},
               {Soa(7), A("b.example.org.", "192.0.2.3"), Soa(7)}});
  ASSERT_EQ(read.state, State::kIncremental) << read.why;
  ASSERT_EQ(read.edits.size(), 3u);  // condensed: SOA, a, b
  EXPECT_EQ(read.edits[0].type, dns::RRType::kSOA);
  EXPECT_TRUE(read.edits[1].rdata.empty());
  EXPECT_EQ(read.edits[2].owner, N("b.example.org."));
}

TEST(TransferReader, Rfc1995Section4_TheFullFormAndTheNewest) {
  const Read full = ReadMessages(Have(), {{Soa(9), A("a.example.org.", "192.0.2.1")}, {Soa(9)}});
  EXPECT_EQ(full.state, State::kFull) << full.why;
  EXPECT_EQ(full.full.size(), 2u);
  EXPECT_EQ(ReadMessages(Have(), {{Soa(5)}}).state, State::kUpToDate);
  EXPECT_EQ(ReadMessages(Have(), {{Soa(4)}}).state, State::kUpToDate);  // it lags behind us
}

// Whatever does not fit is no transfer at all.
TEST(TransferReader, InconsistenciesFail) {
  const auto why = [](const std::vector<wire::Record>& records, const zone::ZonePtr& have = Have()) {
    const Read read = ReadMessages(have, {records});
    EXPECT_EQ(read.state, State::kFailed);
    EXPECT_TRUE(read.edits.empty());
    return read.why;
  };
  EXPECT_THAT(why({Soa(6), Soa(5), A("b.example.org.", "192.0.2.1"), Soa(6), Soa(6)}),
              HasSubstr("not there"));
  EXPECT_THAT(why({Soa(6), Soa(5), Soa(6), A("a.example.org.", "192.0.2.1"), Soa(6)}), HasSubstr("is there"));
  EXPECT_THAT(why({Soa(6), Soa(4)}), HasSubstr("does not begin at our version"));
  EXPECT_THAT(why({Soa(7), Soa(5), Soa(6), Soa(5)}), HasSubstr("do not join"));
  EXPECT_THAT(why({Soa(7), Soa(5), Soa(5)}), HasSubstr("newer"));
  EXPECT_THAT(why({A("a.example.org.", "192.0.2.1")}), HasSubstr("SOA"));
  EXPECT_THAT(why({Soa(6), A("a.example.com.", "192.0.2.1")}), HasSubstr("cannot be in the zone"));
  EXPECT_THAT(why({Soa(6), A("a.example.org.", "192.0.2.1"), Soa(7)}, nullptr),
              HasSubstr("not the first one"));
  EXPECT_THAT(why({Soa(6), A("a.example.org.", "192.0.2.1"), Soa(6), Soa(6)}, nullptr),
              HasSubstr("behind the end"));
  EXPECT_THAT(why({Soa(6), Soa(6)}, nullptr), HasSubstr("no other record"));
}

TEST(TransferReader, AZoneLargerThanItsBoundFails) {
  TransferReader reader(
      kApex, nullptr, [](dns::RRset&&) {}, 200);
  wire::Message message;
  message.id = 7;
  message.response = true;
  message.answer = {Soa(1)};
  for (int i = 0; i < 9; ++i) message.answer.push_back(A("a.example.org.", "192.0.2." + std::to_string(i)));
  EXPECT_EQ(reader.Add(BytesOf(*wire::EncodeMessage(message)), 7), State::kFailed);
  EXPECT_THAT(reader.why(), HasSubstr("larger"));
}

// Bytes that are cut or changed anywhere never do more than fail.
TEST(TransferReader, AnyBytesAreSafe) {
  wire::Message message;
  message.id = 7;
  message.response = true;
  message.answer = {
      Soa(6), Soa(5), A("a.example.org.", "192.0.2.1"), Soa(6), A("b.example.org.", "192.0.2.1"), Soa(6)};
  const std::string good = *wire::EncodeMessage(message);
  const zone::ZonePtr have = Have();
  Rng rng(1);
  size_t failed = 0;
  for (int i = 0; i < 20000; ++i) {
    std::string bytes = good.substr(0, rng.Chance(1, 4) ? rng.Below(good.size() + 1) : good.size());
    for (uint64_t k = rng.Below(4); k > 0 && !bytes.empty(); --k)
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    TransferReader reader(kApex, have, [](dns::RRset&&) {});
    failed += reader.Add(BytesOf(bytes), 7) == State::kFailed;
  }
  EXPECT_GT(failed, 5000u);
}

}  // namespace
}  // namespace quorate::api::xfr

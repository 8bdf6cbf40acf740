// Random small signed zones, and answers checked as a validator would.
#include <gtest/gtest.h>

#include "serve/counting_new.h"
#include "serve/respond.h"
#include "serve/test_validator.h"
#include "wire/test_util.h"

namespace quorate::serve {
namespace {

using dns::Name;
using dns::RRType;

wire::Message Ask(const zone::ZoneSet& zones, const Name& qname, RRType qtype, bool dnssec_ok) {
  wire::Message query = wire::MakeQuery(1, qname, qtype);
  query.edns.emplace().dnssec_ok = dnssec_ok;
  std::vector<uint8_t> out(65535);
  const size_t size = Respond(wire::AsBytes(*wire::EncodeMessage(query)), zones, Transport::kTcp, {}, out);
  const auto parsed = wire::ParseMessage(wire::Bytes(out).first(size));
  EXPECT_TRUE(parsed.ok());
  return parsed.ok() ? *parsed : wire::Message();
}

std::string Describe(const Records& records, const wire::Message& m) {
  std::string out = "zone:\n";
  for (const auto& [name, sets] : records) {
    for (const auto& [type, rdatas] : sets) {
      if (type == RRType::kRRSIG) continue;
      for (const auto& r : rdatas)
        out += "  " + name.ToText() + " " + dns::TypeToText(type) + " " + dns::RdataToText(type, r) + "\n";
    }
  }
  out += "rcode " + std::to_string(static_cast<int>(m.rcode)) + "\n";
  for (const auto* section : {&m.answer, &m.authority}) {
    for (const wire::Record& r : *section)
      out += "  " + r.name.ToText() + " " + dns::TypeToText(r.type) + " " +
             dns::RdataToText(r.type, r.rdata) + "\n";
  }
  return out;
}

bool IsDnssec(RRType type) {
  return type == RRType::kRRSIG || type == RRType::kNSEC || type == RRType::kNSEC3;
}

// read-leases, "DNS: which answers does a pending change touch?": the new signature of a record that proves.
TEST(SignedAnswers, APendingChangeOfARecordThatProvesTouchesTheAnswer) {
  Records records;
  records[kApex][RRType::kSOA].insert(dns::EncodeSoa({.mname = kApex, .rname = kApex, .minimum = kTtl}));
  records[kApex][RRType::kNS].insert(std::string(kApex.wire()));
  for (const char* label : {"b", "d"}) records[Below(label, kApex)][RRType::kA].insert("abcd");
  Signer(records, Chain::kNsec).Sign();
  zone::Touches touches;
  zone::AddRecordTouch(kApex, Below("b", kApex), RRType::kRRSIG, touches);
  ASSERT_EQ(touches.subtrees, std::vector{Below("b", kApex)});
  zone::View view{.zones = std::make_shared<zone::ZoneSet>(Build(records)), .applied = LogIndex{1}};
  view.pending = zone::PendingChanges::With(nullptr, LogIndex{2}, touches);
  const auto touched = [&](const char* label, bool dnssec_ok) {
    wire::Message query = wire::MakeQuery(1, Below(label, kApex), RRType::kA);
    query.edns.emplace().dnssec_ok = dnssec_ok;
    std::vector<uint8_t> out(65535);
    return Respond(wire::AsBytes(*wire::EncodeMessage(query)), view, Transport::kUdp, {}, out).touched;
  };
  EXPECT_EQ(touched("c", true), LogIndex{2});
  EXPECT_EQ(touched("c", false), LogIndex{});
  EXPECT_EQ(touched("d", true), LogIndex{});
}

class RandomSignedZones : public testing::TestWithParam<Chain> {};

TEST_P(RandomSignedZones, EveryAnswerIsProved) {
  Rng rng(static_cast<uint64_t>(GetParam()) + 17);
  size_t name_errors = 0, no_data = 0, referrals = 0, synthesized = 0;
  for (int round = 0; round < 700; ++round) {
    Records records = RandomRecords(rng);
    const zone::ZoneSet plain = Build(records);
    Signer(records, GetParam()).Sign();
    const zone::ZoneSet zones = Build(records);
    for (int i = 0; i < 40; ++i) {
      const Name qname = RandomName(rng);
      const RRType qtype = std::vector{RRType::kA, RRType::kTXT, RRType::kDS, RRType::kCNAME}[rng.Below(4)];
      const wire::Message m = Ask(zones, qname, qtype, true);
      Validator validator(m, qname, qtype);
      validator.exists = [&](const Name& name) {
        return std::any_of(records.begin(), records.end(),
                           [&](const auto& r) { return r.first.IsAtOrBelow(name); });
      };
      const std::string fault = validator.Judge();
      ASSERT_EQ(fault, "") << qname.ToText() << " " << dns::TypeToText(qtype) << "\n" << Describe(records, m);
      name_errors += m.rcode == dns::Rcode::kNXDomain ? 1 : 0;
      no_data += m.rcode == dns::Rcode::kNoError && m.answer.empty() && m.aa ? 1 : 0;
      referrals += !m.aa ? 1 : 0;
      for (const wire::Record& r : m.answer)
        synthesized += r.type == RRType::kRRSIG && r.rdata[3] + 1u < r.name.LabelCount() ? 1 : 0;
      // Without DO the answer of a signed zone is that of the same zone unsigned.
      const wire::Message without = Ask(zones, qname, qtype, false),
                          unsigned_one = Ask(plain, qname, qtype, false);
      ASSERT_EQ(without.rcode, unsigned_one.rcode) << qname.ToText() << Describe(records, without);
      ASSERT_EQ(without.rcode, m.rcode);
      ASSERT_TRUE(without.answer == unsigned_one.answer) << Describe(records, without);
      ASSERT_TRUE(without.authority == unsigned_one.authority) << Describe(records, without);
    }
  }
  for (const size_t seen : {name_errors, no_data, referrals, synthesized}) EXPECT_GT(seen, 300u);
}

// A secondary may have caught a zone between two states: the answer is then less than a proof, never a crash.
TEST_P(RandomSignedZones, PartsOfAChainDoNoHarm) {
  Rng rng(static_cast<uint64_t>(GetParam()) + 71);
  for (int round = 0; round < 300; ++round) {
    Records records = RandomRecords(rng);
    Signer(records, GetParam()).Sign();
    for (auto& [name, sets] : records) {
      std::erase_if(sets, [&](const auto& set) { return IsDnssec(set.first) && rng.Below(2) == 0; });
    }
    std::erase_if(records, [](const auto& entry) { return entry.second.empty(); });
    const zone::ZoneSet zones = Build(records);
    for (int i = 0; i < 30; ++i) {
      const Name qname = RandomName(rng);
      const wire::Message m = Ask(zones, qname, RRType::kA, true),
                          without = Ask(zones, qname, RRType::kA, false);
      ASSERT_EQ(m.rcode, without.rcode);
      for (const wire::Record& r : without.answer) ASSERT_FALSE(IsDnssec(r.type));
    }
  }
}

TEST_P(RandomSignedZones, ProofsAllocateNothing) {
  Rng rng(static_cast<uint64_t>(GetParam()) + 5);
  std::vector<uint8_t> out(65535);
  for (int round = 0; round < 100; ++round) {
    Records records = RandomRecords(rng);
    Signer(records, GetParam()).Sign();
    const zone::ZoneSet zones = Build(records);
    wire::Message query = wire::MakeQuery(1, RandomName(rng), RRType::kA);
    query.edns.emplace().dnssec_ok = true;
    const std::string request = *wire::EncodeMessage(query);
    const size_t before = AllocationsOfThisThread();
    EXPECT_GT(Respond(wire::AsBytes(request), zones, Transport::kUdp, {}, out), 0u);
    EXPECT_EQ(AllocationsOfThisThread(), before);
  }
}

INSTANTIATE_TEST_SUITE_P(Chains, RandomSignedZones,
                         testing::Values(Chain::kNsec, Chain::kNsec3, Chain::kOptOut), [](const auto& info) {
                           return std::string(info.param == Chain::kNsec    ? "Nsec"
                                              : info.param == Chain::kNsec3 ? "Nsec3"
                                                                            : "OptOut");
                         });

}  // namespace
}  // namespace quorate::serve

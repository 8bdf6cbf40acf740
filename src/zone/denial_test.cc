// The chain of a signed zone as its versions keep it, and hashes against RFC 5155 appendix A.
#include "zone/denial.h"

#include <gtest/gtest.h>

#include "zone/edit.h"
#include "zone/zone_test_util.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

using dns::RRType;

std::string HashText(std::string_view name, uint16_t iterations, std::string_view salt) {
  const FoldedName folded(N(name).wire());
  const Nsec3Label label = ToLabel(HashName(folded.view(), {.iterations = iterations, .salt = salt}));
  return {label.begin() + 1, label.end()};
}

TEST(Nsec3Hash, Rfc5155AppendixA) {
  EXPECT_EQ(HashText("example.", 12, "\xaa\xbb\xcc\xdd"), "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
  EXPECT_EQ(HashText("A.example.", 12, "\xaa\xbb\xcc\xdd"), "35mthgpgcu1qg68fab165klnsnk3dpvl");
  EXPECT_EQ(HashText("x.y.w.example.", 12, "\xaa\xbb\xcc\xdd"), "2vptu5timamqttgl4luu9kg21e0aor3s");
}

TEST(Nsec3Hash, LabelsAreReadInAnyCaseAndNothingElseIs) {
  const auto hash = FromLabel("0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM");
  ASSERT_TRUE(hash.has_value());
  const Nsec3Label label = ToLabel(*hash);
  EXPECT_EQ(std::string(label.begin() + 1, label.end()), "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom");
  EXPECT_FALSE(FromLabel("0p9mhaveqvm6t7vbl5lop2u3t2rp3to").has_value());
  EXPECT_FALSE(FromLabel("wp9mhaveqvm6t7vbl5lop2u3t2rp3tom").has_value());
}

constexpr std::string_view kNsec3Chain =
    "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom NSEC3 1 0 12 aabbccdd 0p9mhaveqvm6t7vbl5lop2u3t2rp3tom SOA\n";

TEST(DenialIndex, AnUnsignedZonePaysNothing) {
  EXPECT_EQ(SmallZone("a A 192.0.2.1\n")->denial(), nullptr);
  // Nor is there anything to deny with where only signatures are.
  const ZonePtr zone = SmallZone("@ RRSIG NS 13 1 300 20300101000000 20200101000000 1 example. AQIDBA==\n");
  EXPECT_TRUE(zone->is_signed());
  EXPECT_EQ(zone->denial(), nullptr);
}

TEST(DenialIndex, ChainsOfNsec3AreThoseThatTheApexAnnounces) {
  const auto hashed = [](std::string_view text) {
    const ZonePtr zone = SmallZone(text);
    return zone->denial() != nullptr && zone->denial()->is_hashed();
  };
  EXPECT_TRUE(hashed("@ NSEC3PARAM 1 0 12 aabbccdd\n" + std::string(kNsec3Chain)));
  EXPECT_FALSE(hashed("@ NSEC3PARAM 1 0 11 aabbccdd\n" + std::string(kNsec3Chain)));  // another chain
  EXPECT_FALSE(
      hashed("@ NSEC3PARAM 1 1 12 aabbccdd\n" + std::string(kNsec3Chain)));  // being made (RFC 5155 4)
  EXPECT_FALSE(hashed("@ NSEC3PARAM 2 0 12 aabbccdd\n" + std::string(kNsec3Chain)));
  EXPECT_FALSE(hashed("@ NSEC3PARAM 1 0 12 aabbccdd\n"));  // none
}

TEST(DenialIndex, Rfc9276AChainOfTooManyIterationsIsNotUsed) {
  const auto chain = [](uint16_t iterations) {
    const std::string params = " 1 0 " + std::to_string(iterations) + " - ";
    return SmallZone("@ NSEC3PARAM" + params + "\n" + HashText("example.", iterations, "") + " NSEC3" +
                     params + HashText("example.", iterations, "") + " SOA\n");
  };
  EXPECT_NE(chain(kNsec3IterationsMax)->denial(), nullptr);
  const ZonePtr over = chain(kNsec3IterationsMax + 1);
  EXPECT_EQ(over->denial(), nullptr);
  const dns::Name missing = N("x.example.");
  EXPECT_EQ(ProveDenial(*over, missing.wire(), Lookup(*over, missing.wire(), RRType::kA)).count, 0u);
}

TEST(DenialIndex, WhatIsBelowACutIsOfNoChain) {
  const ZonePtr zone = SmallZone(
      "@ NSEC cut NS SOA\ncut NS ns.cut\ncut NSEC example. NS\nb.cut NSEC c.cut A\nb.cut A 192.0.2.1\n");
  const auto place = zone->denial()->AtOrBefore(FoldedName(N("z.cut.example.").wire()));
  EXPECT_EQ(place.owner, N("cut.example.").wire());
}

// The set of owners decides whether the next version needs an index of its own.
TEST(DenialIndex, VersionsShareItUntilTheChainChanges) {
  const ZonePtr zone = SmallZone("@ NSEC b NS SOA\nb A 192.0.2.1\nb NSEC example. A\nc A 192.0.2.1\n");
  const auto with = [&](std::string_view owner, RRType type, std::string_view text) {
    const Node* node = zone->Find(N(owner).wire());
    std::vector<dns::RRset> sets = node != nullptr ? node->Materialize() : std::vector<dns::RRset>();
    std::erase_if(sets, [&](const dns::RRset& set) { return set.type == type; });
    if (!text.empty())
      sets.push_back({.owner = N(owner), .type = type, .ttl = 1, .rdata = {Rdata(type, text)}});
    std::sort(sets.begin(), sets.end(), [](const auto& a, const auto& b) { return a.type < b.type; });
    ZoneWriter writer(*zone);
    writer.SetRRsets(N(owner).wire(), sets);
    return writer.Finish();
  };
  const auto before = [](const ZonePtr& version, std::string_view name) {
    return dns::Name::FromView(version->denial()->AtOrBefore(FoldedName(N(name).wire())).owner).ToText();
  };
  EXPECT_EQ(with("b.example.", RRType::kA, "192.0.2.2")->denial(), zone->denial());
  EXPECT_EQ(with("d.example.", RRType::kA, "192.0.2.2")->denial(), zone->denial());
  EXPECT_EQ(with("b.example.", RRType::kNSEC, "c.example. A")->denial(), zone->denial());
  EXPECT_EQ(before(zone, "d.example."), "b.example.");
  EXPECT_EQ(before(with("c.example.", RRType::kNSEC, "example. A"), "d.example."), "c.example.");
  EXPECT_EQ(before(with("b.example.", RRType::kNSEC, ""), "d.example."), "example.");
  EXPECT_NE(with("c.example.", RRType::kNS, "ns.c.example.")->denial(), zone->denial());
}

TEST(Signatures, AreThoseThatCoverTheType) {
  const ZonePtr zone = SmallZone(
      "a A 192.0.2.1\na TXT x\n"
      "a RRSIG TXT 13 2 300 20300101000000 20200101000000 1 example. AQ==\n"
      "a RRSIG TXT 13 2 300 20300101000000 20200101000000 2 example. AQ==\n"
      "a RRSIG A 13 2 300 20300101000000 20200101000000 1 example. AQ==\n"
      "a RRSIG AAAA 13 2 300 20300101000000 20200101000000 1 example. AQ==\n");
  const Node& node = *zone->Find(N("a.example.").wire());
  EXPECT_EQ(FindSignatures(node, RRType::kA).size(), 1u);
  const RRsetView two = FindSignatures(node, RRType::kTXT);
  EXPECT_EQ(two.size(), 2u);
  EXPECT_EQ(two.Materialize().rdata.size(), 2u);
  for (const std::string_view rdata : two) EXPECT_EQ(rdata[1], 16);
  EXPECT_TRUE(FindSignatures(node, RRType::kNS).empty());
}

}  // namespace
}  // namespace quorate::zone

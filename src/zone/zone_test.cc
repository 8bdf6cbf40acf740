#include "zone/zone.h"

#include <gtest/gtest.h>

#include <fstream>
#include <map>
#include <set>
#include <sstream>

#include "base/rng.h"
#include "zone/edit.h"
#include "zone/zone_set.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::RRType;

std::string RootZoneText() {
  std::ifstream file(QUORATE_SOURCE_DIR "/tests/data/root.zone");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

std::multiset<std::string> Records(std::string_view zone_text, const Name& origin) {
  std::multiset<std::string> out;
  const auto error = dns::ParseZoneText(zone_text, {.origin = origin}, [&](dns::TextRecord&& r) {
    out.insert(dns::RRsetToText({.owner = r.owner, .type = r.type, .ttl = r.ttl, .rdata = {r.rdata}}));
    return std::string();
  });
  EXPECT_FALSE(error) << error->what;
  return out;
}

TEST(RootZone, IsLoadedWholeAndExportedWithTheSameRecordsAndTtls) {
  const std::string text = RootZoneText();
  const ZonePtr root = Build(".", text);
  EXPECT_EQ(root->record_count(), 3979u);
  EXPECT_EQ(root->serial().value, 2011030200u);
  EXPECT_TRUE(root->is_signed());
  const std::string exported = ZoneToText(*root);
  EXPECT_TRUE(exported.starts_with(". 86400 IN SOA a.root-servers.net."));
  EXPECT_EQ(Records(exported, Name()), Records(text, Name()));
}

TEST(RootZone, GivesRealReferralsWithGlue) {
  const ZonePtr root = Build(".", RootZoneText());
  const LookupResult org = Lookup(*root, N("www.example.ORG").wire(), RRType::kA);
  ASSERT_EQ(org.kind, LookupKind::kDelegation);
  EXPECT_EQ(org.rrset.owner, N("org").wire());
  EXPECT_EQ(org.rrset.size(), 6u);
  EXPECT_EQ(org.ds.size(), 2u);
  for (const std::string_view ns : org.rrset) EXPECT_FALSE(FindGlue(*root, ns).empty());
  EXPECT_EQ(Lookup(*root, N("org").wire(), RRType::kDS).kind, LookupKind::kAnswer);
  EXPECT_EQ(Lookup(*root, N(".").wire(), RRType::kDNSKEY).kind, LookupKind::kAnswer);
  EXPECT_EQ(Lookup(*root, N(".").wire(), RRType::kDS).kind, LookupKind::kNoData);
  EXPECT_EQ(Lookup(*root, N("no-such-tld").wire(), RRType::kA).kind, LookupKind::kNxDomain);
}

TEST(Zone, Rfc2308Section3TheNegativeTtlIsTheSmallerOfTtlAndMinimum) {
  EXPECT_EQ(SmallZone("")->negative_ttl(), 300u);
  EXPECT_EQ(Build("e.", "@ 60 SOA ns h 7 2 3 4 300\n@ 60 NS ns\n")->negative_ttl(), 60u);
}

TEST(Zone, Rfc4343TheCaseOfANameIsThatOfItsFirstRecord) {
  ZonePtr zone = SmallZone("WWW 300 A 192.0.2.1\n");
  const auto edited = ApplyEdit(zone, {{{.owner = N("www.example"),
                                         .type = RRType::kTXT,
                                         .kind = RRsetEdit::Kind::kAddRecords,
                                         .ttl = 60,
                                         .rdata = {"\1x"}}}});
  const EditResult& result = std::get<EditResult>(edited);
  EXPECT_EQ(Lookup(*result.zone, N("www.EXAMPLE").wire(), RRType::kTXT).rrset.owner, N("WWW.example").wire());
  EXPECT_EQ(result.changeset.changes.back().owner.wire(), N("WWW.example").wire());
}

TEST(Zone, AnImportThatOnlyChangesCaseIsAChange) {
  const ZonePtr old = SmallZone("WWW 300 A 192.0.2.1\n");
  const ZonePtr next = SmallZone("www 300 A 192.0.2.1\n");
  const auto outcome = std::get<EditResult>(ReplaceZone(old, next));
  EXPECT_EQ(outcome.zone->serial().value, 8u);
  ASSERT_EQ(outcome.changeset.changes.size(), 2u);
  EXPECT_EQ(outcome.changeset.changes[1].after->owner.wire(), N("www.example").wire());
}

TEST(Zone, AnRRsetThatNoMessageCouldHoldIsRefused) {
  RRsetEdit edit{.owner = N("big.example"), .type = RRType::kA, .kind = RRsetEdit::Kind::kReplace, .ttl = 1};
  for (int i = 0; i < 4000; ++i)
    edit.rdata.push_back({'\1', '\1', static_cast<char>(i >> 8), static_cast<char>(i)});
  EXPECT_TRUE(std::holds_alternative<EditResult>(ApplyEdit(SmallZone(""), {{edit}})));
  edit.rdata.push_back("\2\2\2\2");
  const auto refused = ApplyEdit(SmallZone(""), {{edit}});
  ASSERT_TRUE(std::holds_alternative<Refusal>(refused));
  EXPECT_EQ(std::get<Refusal>(refused).code, RefusalCode::kRRsetTooLarge);
  edit.rdata.resize(6000, "abcd");
  EXPECT_EQ(std::get<Refusal>(ApplyEdit(SmallZone(""), {{edit}})).code, RefusalCode::kRRsetTooLarge);
}

TEST(Zone, ANameHasABoundedNumberOfTypes) {
  ZoneEdit edit;
  for (uint16_t i = 0; i < 256; ++i) {
    edit.edits.push_back(
        {.owner = N("a.example"), .type = static_cast<RRType>(1000 + i), .ttl = 1, .rdata = {"x"}});
  }
  const ZonePtr zone = std::get<EditResult>(ApplyEdit(SmallZone(""), edit)).zone;
  EXPECT_EQ(zone->Find(N("a.example").wire())->rrset_count(), 256u);
  const RRsetEdit more{.owner = N("a.example"), .type = RRType::kA, .ttl = 1, .rdata = {"abcd"}};
  EXPECT_EQ(std::get<Refusal>(ApplyEdit(zone, {{more}})).code, RefusalCode::kTooManyTypes);
}

TEST(Zone, ALargeNodeIsSharedByVersionsThatDifferInItsChildren) {
  std::string text;
  for (int i = 0; i < 300; ++i) text += "big 60 TXT \"" + std::string(100, 'x') + std::to_string(i) + "\"\n";
  const ZonePtr zone = SmallZone(text);
  const RRsetEdit child{.owner = N("*.big.example"), .type = RRType::kA, .ttl = 1, .rdata = {"abcd"}};
  const ZonePtr next = std::get<EditResult>(ApplyEdit(zone, {{child}})).zone;
  const Node* before = zone->Find(N("big.example").wire());
  const Node* after = next->Find(N("big.example").wire());
  EXPECT_EQ(before->child_count(), 0u);
  EXPECT_EQ(after->child_count(), 1u);
  EXPECT_TRUE(after->HasWildcardChild());
  EXPECT_TRUE(after->SameData(*before));
  EXPECT_EQ(after->Find(RRType::kTXT).packed.data(), before->Find(RRType::kTXT).packed.data());
}

TEST(Zone, OfSeveralFaultsOfAnImportTheFirstNameIsTold) {
  const auto outcome = TryBuild("example.",
                                "@ 60 SOA ns h 7 2 3 4 300\n@ 60 NS ns\n"
                                "z 60 CNAME a\nz 60 A 192.0.2.1\nb 60 CNAME a\nb 60 A 192.0.2.1\n");
  EXPECT_TRUE(std::get<Refusal>(outcome).reason.starts_with("b.example."));
}

TEST(Zone, TheLongestNamesAreFoundAndSynthesized) {
  std::string labels;
  for (int i = 0; i < 122; ++i) labels += "a.";
  const ZonePtr zone = SmallZone("*." + labels + "example. 60 A 192.0.2.1\n");
  EXPECT_EQ(zone->node_count(), 124u);
  EXPECT_EQ(Lookup(*zone, N("b." + labels + "example").wire(), RRType::kA).kind, LookupKind::kAnswer);
  EXPECT_EQ(Lookup(*zone, N("b.a." + labels.substr(4) + "example").wire(), RRType::kA).kind,
            LookupKind::kNxDomain);
}

TEST(ZoneSet, TheClosestEnclosingZoneAnswersAndDsIsItsParents) {
  ZoneSet set;
  for (const std::string apex : {"org.", "example.org.", "a.b.example.org."}) set.Put(SmallZone("", apex));
  const auto apex_of = [&](const Zone* zone) { return zone ? zone->apex().ToText() : std::string("none"); };
  EXPECT_EQ(apex_of(set.FindZone(N("www.Example.org").wire())), "example.org.");
  EXPECT_EQ(apex_of(set.FindZone(N("b.example.org").wire())), "example.org.");
  EXPECT_EQ(apex_of(set.FindZone(N("x.A.b.example.org").wire())), "a.b.example.org.");
  EXPECT_EQ(apex_of(set.FindZone(N("org").wire())), "org.");
  EXPECT_EQ(apex_of(set.FindZone(N("com").wire())), "none");
  EXPECT_EQ(apex_of(set.FindZone(N(".").wire())), "none");
  EXPECT_EQ(apex_of(set.FindZoneFor(N("example.org").wire(), RRType::kDS)), "org.");
  EXPECT_EQ(apex_of(set.FindZoneFor(N("example.org").wire(), RRType::kA)), "example.org.");
  EXPECT_EQ(apex_of(set.FindZoneFor(N("a.b.example.org").wire(), RRType::kDS)), "example.org.");
  EXPECT_EQ(apex_of(set.FindZoneFor(N("www.example.org").wire(), RRType::kDS)), "example.org.");
  EXPECT_EQ(apex_of(set.FindZoneFor(N("org").wire(), RRType::kDS)), "org.") << "the parent is not ours";
  const ZoneSet root = set.With(SmallZone("", "."));
  EXPECT_EQ(apex_of(root.FindZoneFor(N(".").wire(), RRType::kDS)), ".");
  EXPECT_EQ(apex_of(root.FindZoneFor(N("org").wire(), RRType::kDS)), ".");
  EXPECT_EQ(apex_of(set.FindZone(N("com").wire())), "none") << "the old set changed";
}

TEST(ZoneSet, ZonesComeAndGoWithoutTouchingOlderSets) {
  Rng rng(1);
  ZoneSet set;
  std::map<Name, ZonePtr> model;
  std::vector<std::pair<ZoneSet, std::map<Name, ZonePtr>>> kept;
  for (int step = 0; step < 2000; ++step) {
    std::string apex;
    for (uint64_t i = rng.Below(4); i > 0; --i)
      apex += std::string(1, static_cast<char>('a' + rng.Below(3))) + ".";
    const Name name = N(apex.empty() ? "." : apex);
    if (rng.Chance(2, 3)) {
      const ZonePtr zone = SmallZone("", name.ToText());
      set = set.With(zone);
      model[name] = zone;
    } else {
      set = set.Without(name.wire());
      model.erase(name);
    }
    ASSERT_EQ(set.size(), model.size());
    ASSERT_EQ(set.Get(name.wire()), model.contains(name) ? model[name] : nullptr);
    const Name q = N("x." + (apex.empty() ? "" : apex));
    Name best = q;
    while (!best.IsRoot() && !model.contains(best)) best = best.Parent();
    ASSERT_EQ(set.FindZone(q.wire()), model.contains(best) ? model[best].get() : nullptr);
    if (rng.Chance(1, 100)) kept.emplace_back(set, model);
  }
  for (const auto& [old, old_model] : kept) {
    std::vector<ZonePtr> expected;
    for (const auto& [name, zone] : old_model) expected.push_back(zone);
    ASSERT_EQ(old.All(), expected);
  }
}

TEST(LargeZone, IsLoadedInSecondsAndAnEditCostsNothingOfItsSize) {
  constexpr uint32_t kNames = 100000;
  ZoneBuilder builder(N("example"));
  builder.Add(N("example"), RRType::kSOA, 60, Rdata(RRType::kSOA, "ns.example. h.example. 1 2 3 4 5"));
  builder.Add(N("example"), RRType::kNS, 60, N("ns.example").wire());
  for (uint32_t i = 0; i < kNames; ++i) {
    builder.Add(N("host" + std::to_string(i) + ".example"), RRType::kA, 60,
                {reinterpret_cast<const char*>(&i), sizeof i});
  }
  ZonePtr zone = std::get<ZonePtr>(std::move(builder).Build());
  ASSERT_EQ(zone->node_count(), kNames + 1);
  const ZonePtr first = zone;
  for (uint32_t i = 0; i < 5000; ++i) {
    RRsetEdit edit{.owner = N("new" + std::to_string(i) + ".example"), .type = RRType::kA, .rdata = {"abcd"}};
    zone = std::get<EditResult>(ApplyEdit(zone, {{edit}})).zone;
  }
  EXPECT_EQ(zone->node_count(), kNames + 5001);
  EXPECT_EQ(first->node_count(), kNames + 1);
  EXPECT_EQ(first->Find(N("new0.example").wire()), nullptr);
}

}  // namespace
}  // namespace quorate::zone

// Random edits and questions, against a model that any reader can check: a plain map of RRsets, searched by
// brute force.
#include <gtest/gtest.h>

#include <map>

#include "base/rng.h"
#include "zone/edit.h"
#include "zone/store_keys.h"
#include "zone/zone_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::RRset;
using dns::RRType;
using Kind = RRsetEdit::Kind;

const Name kApex = N("example.");
using Model = std::map<std::pair<Name, RRType>, RRset>;

bool Has(const Model& model, const Name& name, RRType type) { return model.contains({name, type}); }

bool Exists(const Model& model, const Name& name) {
  return std::any_of(model.begin(), model.end(),
                     [&](const auto& e) { return e.first.first.IsAtOrBelow(name); });
}

size_t TypesAt(const Model& model, const Name& name) {
  return static_cast<size_t>(
      std::count_if(model.begin(), model.end(), [&](const auto& e) { return e.first.first == name; }));
}

struct Expected {
  LookupKind kind;
  bool synthesized = false;
  std::optional<RRset> rrset;
  std::optional<Name> closest_encloser;
};

Expected AtName(const Model& model, const Name& name, RRType qtype) {
  if (qtype == RRType::kANY) {
    return {.kind = TypesAt(model, name) > 0 ? LookupKind::kAnswer : LookupKind::kNoData};
  }
  if (Has(model, name, qtype)) return {.kind = LookupKind::kAnswer, .rrset = model.at({name, qtype})};
  if (Has(model, name, RRType::kCNAME)) {
    return {.kind = LookupKind::kCname, .rrset = model.at({name, RRType::kCNAME})};
  }
  return {.kind = LookupKind::kNoData};
}

// RFC 1034 4.3.2 with 4592 and 6672, step by step.
Expected Ask(const Model& model, const Name& qname, RRType qtype) {
  std::vector<Name> path;  // the apex first
  for (Name name = qname; name != kApex; name = name.Parent()) path.insert(path.begin(), name);
  path.insert(path.begin(), kApex);
  Name closest = kApex;
  for (const Name& name : path) {
    if (!Exists(model, name)) break;
    closest = name;
    const bool ds_of_cut = name == qname && qtype == RRType::kDS;
    if (name != kApex && Has(model, name, RRType::kNS) && !ds_of_cut) {
      return {LookupKind::kDelegation, false, model.at({name, RRType::kNS}), name};
    }
    if (name != qname && Has(model, name, RRType::kDNAME)) {
      return {LookupKind::kDname, false, model.at({name, RRType::kDNAME}), name};
    }
  }
  const Name source = *Name::Concatenate("\1*", closest);
  Expected out{.kind = LookupKind::kNxDomain};
  if (closest == qname) {
    out = AtName(model, qname, qtype);
  } else if (Exists(model, source)) {
    out = AtName(model, source, qtype);
    out.synthesized = true;
  }
  out.closest_encloser = closest;
  return out;
}

// The rules of content.
bool IsValid(const Model& model) {
  if (!Has(model, kApex, RRType::kSOA) || !Has(model, kApex, RRType::kNS)) return false;
  for (const auto& [key, set] : model) {
    const auto& [owner, type] = key;
    const bool single = type == RRType::kCNAME || type == RRType::kDNAME || type == RRType::kSOA;
    if (single && set.rdata.size() > 1) return false;
    if (type == RRType::kCNAME && TypesAt(model, owner) > 1) return false;
    if (type == RRType::kSOA && owner != kApex) return false;
    if (type == RRType::kDNAME && owner != kApex && Has(model, owner, RRType::kNS)) return false;
    if (type == RRType::kDS && (owner == kApex || !Has(model, owner, RRType::kNS))) return false;
  }
  return true;
}

void ApplyToModel(const RRsetEdit& edit, Model& model) {
  const auto key = std::pair{edit.owner, edit.type};
  if (edit.kind == Kind::kDelete && edit.type == RRType::kANY) {
    std::erase_if(model, [&](const auto& e) {
      const bool kept = e.first.second == RRType::kSOA || e.first.second == RRType::kNS;
      return e.first.first == edit.owner && !(edit.owner == kApex && kept);
    });
    return;
  }
  RRset set{.owner = edit.owner, .type = edit.type, .ttl = edit.ttl};
  if (model.contains(key)) set = model[key];
  if (edit.kind == Kind::kReplace) set.rdata = edit.rdata;
  if (edit.kind == Kind::kDelete) set.rdata.clear();
  if (edit.kind == Kind::kAddRecords) set.rdata.insert(set.rdata.end(), edit.rdata.begin(), edit.rdata.end());
  if (edit.kind == Kind::kRemoveRecords) {
    std::erase_if(set.rdata,
                  [&](const std::string& r) { return std::count(edit.rdata.begin(), edit.rdata.end(), r); });
  }
  const bool adds = edit.kind == Kind::kAddRecords && !edit.rdata.empty();
  if (edit.kind == Kind::kReplace || adds) set.ttl = edit.ttl;
  Canonicalize(set);
  model.erase(key);
  if (!set.rdata.empty()) model[key] = set;
}

Model ContentOf(const Zone& zone) {
  Model model;
  for (const Node* node : zone.InCanonicalOrder()) {
    for (RRset& set : node->Materialize()) model[{set.owner, set.type}] = set;
  }
  return model;
}

Name RandomName(Rng& rng) {
  static constexpr std::string_view kLabels[] = {"a", "b", "*", "A", "cc"};
  std::string text;
  for (uint64_t i = rng.Below(5); i > 0; --i)
    text += std::string(kLabels[rng.Below(std::size(kLabels))]) + ".";
  return N(text + "example.");
}

RRType RandomType(Rng& rng) {
  static constexpr RRType kTypes[] = {RRType::kA,  RRType::kA,     RRType::kTXT,   RRType::kNS,
                                      RRType::kDS, RRType::kCNAME, RRType::kDNAME, RRType::kAAAA};
  return kTypes[rng.Below(std::size(kTypes))];
}

std::string RandomRdata(RRType type, Rng& rng) {
  const std::string n = std::to_string(rng.Below(3));
  switch (type) {
    case RRType::kA:
      return std::string("\xc0\0\2", 3) + static_cast<char>(rng.Below(3));
    case RRType::kAAAA:
      return std::string(15, '\0') + static_cast<char>(rng.Below(3));
    case RRType::kTXT:
      return "\1" + n;
    case RRType::kDS:
      return std::string("\0\1\10\2", 4) + n;
    default:
      return std::string(N("t" + n + ".").wire());
  }
}

RRsetEdit RandomEdit(Rng& rng) {
  RRsetEdit edit{.owner = RandomName(rng), .type = RandomType(rng)};
  edit.kind = static_cast<Kind>(1 + rng.Below(4));
  edit.ttl = 60 * static_cast<uint32_t>(rng.Below(3));
  if (edit.kind == Kind::kDelete) {
    if (rng.Chance(1, 3)) edit.type = rng.Chance(1, 4) ? RRType::kSOA : RRType::kANY;
    return edit;
  }
  for (uint64_t i = rng.Below(3); i > 0; --i) edit.rdata.push_back(RandomRdata(edit.type, rng));
  return edit;
}

ZonePtr Rebuilt(const Zone& zone) {
  ZoneBuilder builder(zone.apex());
  for (const RRsetChange& change : Diff(nullptr, &zone).changes) {
    // Through the store's form, as at a start.
    const auto key = ParseRecordKey(RecordKey(zone.apex(), change.owner, change.type));
    builder.Add(*DecodeRRset(key->type, EncodeRRset(*change.after)));
  }
  return std::get<ZonePtr>(std::move(builder).Build());
}

void ExpectSameAnswers(const Zone& zone, const Model& model, Rng& rng) {
  for (int i = 0; i < 20; ++i) {
    const Name qname = RandomName(rng);
    const RRType qtype = rng.Chance(1, 8) ? RRType::kANY : RandomType(rng);
    const Expected expected = Ask(model, qname, qtype);
    const LookupResult found = Lookup(zone, qname.wire(), qtype);
    const std::string question = qname.ToText() + " " + dns::TypeToText(qtype);
    ASSERT_EQ(found.kind, expected.kind) << question << "\n" << ZoneToText(zone);
    ASSERT_EQ(found.synthesized, expected.synthesized) << question << "\n" << ZoneToText(zone);
    ASSERT_EQ(Name::FromView(found.closest_encloser->owner()), expected.closest_encloser) << question;
    if (expected.rrset) {
      ASSERT_EQ(found.rrset.Materialize(), *expected.rrset) << question;
    }
    if (found.kind == LookupKind::kDelegation) {
      ASSERT_EQ(!found.ds.empty(), Has(model, *expected.closest_encloser, RRType::kDS));
    }
  }
}

void ExpectChangesetTellsAll(const Changeset& changeset, Model before, const Model& after) {
  std::pair<Name, RRType> last{Name(), RRType::kA};
  for (const RRsetChange& change : changeset.changes) {
    const auto key = std::pair{change.owner, change.type};
    ASSERT_LT(last, key) << "not in canonical order";
    last = key;
    ASSERT_TRUE(change.before || change.after);
    ASSERT_EQ(change.before.has_value(), before.contains(key));
    if (change.before) {
      ASSERT_EQ(before[key], *change.before);
    }
    before.erase(key);
    if (change.after) before[key] = *change.after;
  }
  ASSERT_EQ(before, after);
}

void RunSeed(uint64_t seed) {
  Rng rng(seed);
  ZonePtr zone = SmallZone("");
  Model model = ContentOf(*zone);
  std::vector<std::pair<ZonePtr, std::string>> kept;
  int applied = 0, refused = 0;
  for (int step = 0; step < 300; ++step) {
    ZoneEdit edit;
    for (uint64_t i = 1 + rng.Below(3); i > 0; --i) edit.edits.push_back(RandomEdit(rng));
    Model wanted = model;
    for (const RRsetEdit& one : edit.edits) ApplyToModel(one, wanted);
    const EditOutcome outcome = ApplyEdit(zone, edit);
    if (!IsValid(wanted)) {
      ASSERT_TRUE(std::holds_alternative<Refusal>(outcome)) << ZoneToText(*zone);
      ++refused;
      continue;
    }
    ASSERT_TRUE(std::holds_alternative<EditResult>(outcome)) << std::get<Refusal>(outcome).reason;
    const EditResult& result = std::get<EditResult>(outcome);
    const bool changed = wanted != model;
    ASSERT_EQ(result.changeset.empty(), !changed);
    ASSERT_EQ(result.zone->serial().value, zone->serial().value + (changed ? 1 : 0));
    if (!changed) {
      ASSERT_EQ(result.zone, zone);
      continue;
    }
    ++applied;
    RRset soa = model.at({kApex, RRType::kSOA});
    soa.rdata = {std::string(*result.zone->soa_rrset().begin())};
    wanted[{kApex, RRType::kSOA}] = soa;
    ASSERT_EQ(ContentOf(*result.zone), wanted);
    ExpectChangesetTellsAll(result.changeset, model, wanted);
    ASSERT_EQ(Diff(zone.get(), result.zone.get()), result.changeset);
    ASSERT_EQ(Shape(*Rebuilt(*result.zone)), Shape(*result.zone));
    zone = result.zone;
    model = wanted;
    ExpectSameAnswers(*zone, model, rng);
    if (testing::Test::HasFatalFailure()) return;
    if (rng.Chance(1, 10)) kept.emplace_back(zone, Shape(*zone));
  }
  for (const auto& [old, shape] : kept) ASSERT_EQ(Shape(*old), shape) << "a published version changed";
  EXPECT_GT(applied, 30);
  EXPECT_GT(refused, 10);
}

TEST(RandomZone, EditsAndAnswersAgreeWithTheModel) {
  for (uint64_t seed = 0; seed < 12; ++seed) {
    RunSeed(seed);
    ASSERT_FALSE(HasFatalFailure()) << "seed " << seed;
  }
}

TEST(RandomZone, TheOrderOfRecordsDoesNotMatterToAWholeZone) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    Rng rng(seed);
    ZonePtr zone = SmallZone("");
    for (int step = 0; step < 100; ++step) {
      const auto outcome = ApplyEdit(zone, {.edits = {RandomEdit(rng)}});
      if (const auto* result = std::get_if<EditResult>(&outcome)) zone = result->zone;
    }
    std::vector<RRset> records;  // one each
    for (const RRsetChange& change : Diff(nullptr, zone.get()).changes) {
      for (const std::string& rdata : change.after->rdata) {
        records.push_back({change.owner, change.type, change.after->ttl, {rdata}});
      }
    }
    for (size_t i = records.size(); i > 1; --i) std::swap(records[i - 1], records[rng.Below(i)]);
    ZoneBuilder builder(zone->apex());
    for (const RRset& record : records) builder.Add(record);
    ASSERT_EQ(Shape(*std::get<ZonePtr>(std::move(builder).Build())), Shape(*zone)) << "seed " << seed;
  }
}

}  // namespace
}  // namespace quorate::zone

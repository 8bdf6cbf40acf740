// RFC 2136 against its own pseudocode (3.2.5, 3.4.1.3, 3.4.2.7), played on a list of records; the corners are
// told one by one in tests/conformance/rfc2136.
#include "zone/update.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <set>

#include "base/rng.h"
#include "dns/rdata.h"
#include "zone/update_test_util.h"

namespace quorate::zone {
namespace {

using dns::Name;
using dns::Rcode;
using dns::RRClass;
using dns::RRType;

struct ModelRRset {
  uint32_t ttl = 0;
  std::set<std::string> rdata;
  bool operator==(const ModelRRset&) const = default;
};
using Model = std::map<std::pair<Name, RRType>, ModelRRset>;

const Name kApex = N("example.");

bool NameInUse(const Model& model, const Name& name) {
  return std::any_of(model.begin(), model.end(), [&](const auto& e) { return e.first.first == name; });
}

bool HasOther(const Model& model, const Name& name, RRType type) {
  return std::any_of(model.begin(), model.end(),
                     [&](const auto& e) { return e.first.first == name && e.first.second != type; });
}

Rcode Prerequisites(const Model& model, const std::vector<UpdateRecord>& records) {
  std::map<std::pair<Name, RRType>, std::set<std::string>> temp;
  for (const UpdateRecord& rr : records) {
    const std::pair key{rr.owner, rr.type};
    if (rr.ttl != 0) return Rcode::kFormErr;
    if (!rr.owner.IsAtOrBelow(kApex)) return Rcode::kNotZone;
    if (rr.rr_class == RRClass::kIN) {
      temp[key].insert(rr.rdata);
      continue;
    }
    if (!rr.rdata.empty()) return Rcode::kFormErr;
    const bool any = rr.type == RRType::kANY;
    const bool is = any ? NameInUse(model, rr.owner) : model.contains(key);
    if (rr.rr_class == RRClass::kANY && !is) return any ? Rcode::kNXDomain : Rcode::kNXRRSet;
    if (rr.rr_class == RRClass::kNONE && is) return any ? Rcode::kYXDomain : Rcode::kYXRRSet;
  }
  for (const auto& [key, rdata] : temp) {
    const auto it = model.find(key);
    if (it == model.end() || it->second.rdata != rdata) return Rcode::kNXRRSet;
  }
  return Rcode::kNoError;
}

Rcode ModelPrescan(const std::vector<UpdateRecord>& records) {
  for (const UpdateRecord& rr : records) {
    if (!rr.owner.IsAtOrBelow(kApex)) return Rcode::kNotZone;
    const bool any = rr.type == RRType::kANY;
    if (rr.rr_class == RRClass::kIN && any) return Rcode::kFormErr;
    if (rr.rr_class == RRClass::kANY && (rr.ttl != 0 || !rr.rdata.empty())) return Rcode::kFormErr;
    if (rr.rr_class == RRClass::kNONE && (rr.ttl != 0 || any)) return Rcode::kFormErr;
  }
  return Rcode::kNoError;
}

uint32_t SerialOf(const ModelRRset& soa) { return dns::ParseSoa(*soa.rdata.begin())->serial.value; }

void ModelAdd(const UpdateRecord& rr, Model& model) {
  if (rr.type == RRType::kCNAME ? HasOther(model, rr.owner, RRType::kCNAME)
                                : model.contains({rr.owner, RRType::kCNAME})) {
    return;
  }
  if (rr.type == RRType::kSOA) {
    const auto soa = model.find({rr.owner, RRType::kSOA});
    if (soa == model.end() || !dns::IsNewer(dns::ParseSoa(rr.rdata)->serial, {SerialOf(soa->second)})) return;
  }
  ModelRRset& set = model[{rr.owner, rr.type}];
  if (rr.type == RRType::kCNAME || rr.type == RRType::kSOA || rr.type == RRType::kDNAME) set.rdata.clear();
  set.ttl = rr.ttl;
  set.rdata.insert(rr.rdata);
}

void ModelApply(const UpdateRecord& rr, Model& model) {
  const bool soa_or_ns = rr.type == RRType::kSOA || rr.type == RRType::kNS;
  if (rr.rr_class == RRClass::kIN) return ModelAdd(rr, model);
  if (rr.rr_class == RRClass::kANY && rr.type == RRType::kANY) {
    std::erase_if(model, [&](const auto& e) {
      const RRType type = e.first.second;
      return e.first.first == rr.owner &&
             !(rr.owner == kApex && (type == RRType::kSOA || type == RRType::kNS));
    });
  } else if (rr.rr_class == RRClass::kANY) {
    if (!(rr.owner == kApex && soa_or_ns)) model.erase({rr.owner, rr.type});
  } else if (const auto it = model.find({rr.owner, rr.type}); it != model.end()) {
    if (rr.type == RRType::kSOA) return;
    if (rr.type == RRType::kNS && rr.owner == kApex && it->second.rdata.size() == 1) return;
    it->second.rdata.erase(rr.rdata);
    if (it->second.rdata.empty()) model.erase(it);
  }
}

// What RFC 2136 lets pass and the rules of a zone do not.
bool IsAgainstTheRules(const Model& model) {
  return std::any_of(model.begin(), model.end(), [&](const auto& e) {
    const auto& [owner, type] = e.first;
    return type == RRType::kDNAME && owner != kApex && model.contains({owner, RRType::kNS});
  });
}

Model ModelOf(const Zone& zone) {
  Model model;
  for (const Node* node : zone.InCanonicalOrder()) {
    for (const dns::RRset& set : node->Materialize()) {
      model[{set.owner, set.type}] = {set.ttl, {set.rdata.begin(), set.rdata.end()}};
    }
  }
  return model;
}

Name RandomOwner(Rng& rng) {
  static constexpr std::string_view kOwners[] = {"example.",   "a.example.", "b.example.", "x.y.example.",
                                                 "y.example.", "*.example.", "c.example."};
  return rng.Chance(1, 60) ? N("other.") : N(kOwners[rng.Below(std::size(kOwners))]);
}

UpdateRecord RandomRecord(Rng& rng, bool prerequisite) {
  static constexpr RRType kTypes[] = {RRType::kA,     RRType::kA,     RRType::kTXT, RRType::kNS,
                                      RRType::kCNAME, RRType::kDNAME, RRType::kSOA, RRType::kNS};
  static constexpr RRClass kClasses[] = {RRClass::kIN, RRClass::kIN, RRClass::kANY, RRClass::kNONE};
  UpdateRecord record{.owner = RandomOwner(rng), .type = kTypes[rng.Below(std::size(kTypes))]};
  record.rr_class = kClasses[rng.Below(std::size(kClasses))];
  const std::string n = std::to_string(rng.Below(3));
  const bool has_data =
      record.rr_class == RRClass::kIN || (record.rr_class == RRClass::kNONE && !prerequisite);
  if (record.rr_class == RRClass::kIN && !prerequisite) record.ttl = 60 * static_cast<uint32_t>(rng.Below(3));
  if (rng.Chance(1, 80)) record.ttl = 1;
  if (!has_data) {
    if (rng.Chance(1, 4)) record.type = RRType::kANY;
    return record;
  }
  switch (record.type) {
    case RRType::kA:
      record.rdata = Rdata(RRType::kA, "192.0.2." + n);
      break;
    case RRType::kTXT:
      record.rdata = "\1" + n;
      break;
    case RRType::kSOA:
      record.rdata = Rdata(RRType::kSOA, "ns. h. " + std::to_string(rng.Below(4) << 30) + " 1 2 3 4");
      break;
    default:
      record.rdata = std::string(N("t" + n + ".").wire());
  }
  return record;
}

Rcode Expected(const Update& update, Model& model) {
  if (const Rcode rcode = Prerequisites(model, update.prerequisites); rcode != Rcode::kNoError) return rcode;
  if (const Rcode rcode = ModelPrescan(update.updates); rcode != Rcode::kNoError) return rcode;
  for (const UpdateRecord& record : update.updates) ModelApply(record, model);
  return IsAgainstTheRules(model) ? Rcode::kRefused : Rcode::kNoError;
}

void ExpectOutcome(const EditResult& result, const Zone& before, Model expected) {
  const std::pair soa{kApex, RRType::kSOA};
  Model changed = expected;
  if (!dns::IsNewer({SerialOf(changed[soa])}, before.serial())) {
    const bool has_effect = [&] {
      Model unchanged = ModelOf(before);
      auto as_it_was = dns::ParseSoa(*changed[soa].rdata.begin());
      as_it_was->serial = before.serial();
      changed[soa].rdata = {dns::EncodeSoa(*as_it_was)};
      return changed != unchanged;
    }();
    ASSERT_EQ(result.changeset.empty(), !has_effect);
    auto settled = dns::ParseSoa(*changed[soa].rdata.begin());
    if (has_effect) settled->serial = {before.serial().value + 1};
    changed[soa].rdata = {dns::EncodeSoa(*settled)};
  }
  ASSERT_EQ(ModelOf(*result.zone), changed);
  ASSERT_EQ(result.zone->serial().value, SerialOf(changed[soa]));
  ASSERT_EQ(Diff(&before, result.zone.get()).changes, result.changeset.changes);
}

TEST(Update, Rfc2136Section3AgreesWithItsPseudocodeOnRandomUpdates) {
  std::map<Rcode, int> seen;
  Rng rng(2136);
  ZonePtr zone = SmallZone("");
  for (int step = 0; step < 20000; ++step) {
    Update update;
    for (uint64_t i = rng.Below(3); i > 0; --i) update.prerequisites.push_back(RandomRecord(rng, true));
    for (uint64_t i = rng.Below(6); i > 0; --i) update.updates.push_back(RandomRecord(rng, false));
    const std::string before = Shape(*zone);
    Model expected = ModelOf(*zone);
    const Rcode rcode = Expected(update, expected);
    const auto outcome = ApplyUpdate(zone, update, {}, {});
    ++seen[rcode];
    if (const auto* refusal = std::get_if<UpdateRefusal>(&outcome)) {
      ASSERT_EQ(refusal->rcode, rcode) << refusal->reason << "\n" << before;
      ASSERT_FALSE(refusal->reason.empty());
      ASSERT_EQ(Shape(*zone), before);
      continue;
    }
    ASSERT_EQ(rcode, Rcode::kNoError) << before;
    ExpectOutcome(std::get<EditResult>(outcome), *zone, expected);
    if (HasFatalFailure()) return;
    zone = std::get<EditResult>(outcome).zone;
  }
  for (const Rcode rcode : {Rcode::kNoError, Rcode::kFormErr, Rcode::kNXDomain, Rcode::kYXDomain,
                            Rcode::kYXRRSet, Rcode::kNXRRSet, Rcode::kNotZone, Rcode::kRefused}) {
    EXPECT_GT(seen[rcode], 20) << "hardly tried: " << static_cast<int>(rcode);
  }
}

TEST(Update, ANameHasABoundedNumberOfTypesAndAnRRsetOfRecords) {
  const ZonePtr zone = SmallZone("");
  Update update;
  for (uint16_t i = 0; i < 257; ++i) {
    update.updates.push_back({.owner = N("a.example"), .type = static_cast<RRType>(2000 - i), .rdata = "x"});
  }
  EXPECT_EQ(std::get<UpdateRefusal>(ApplyUpdate(zone, update, {}, {})).rcode, Rcode::kRefused);
  update.updates.pop_back();
  EXPECT_TRUE(std::holds_alternative<EditResult>(ApplyUpdate(zone, update, {}, {})));
  update.updates.clear();
  for (int i = 0; i < 4001; ++i) {
    update.updates.push_back({.owner = N("a.example"), .type = RRType::kA});
    update.updates.back().rdata = {'\1', '\1', static_cast<char>(i >> 8), static_cast<char>(i)};
  }
  EXPECT_EQ(std::get<UpdateRefusal>(ApplyUpdate(zone, update, {}, {})).rcode, Rcode::kRefused)
      << "no message could hold it";
  update.updates.pop_back();
  EXPECT_TRUE(std::holds_alternative<EditResult>(ApplyUpdate(zone, update, {}, {})));
}

TEST(Update, PermissionIsAskedOfEachRecordInOrderUntilOneMayNot) {
  Update update;
  for (const char* owner : {"a.example", "b.example", "c.example"}) {
    update.updates.push_back({.owner = N(owner), .type = RRType::kTXT, .rdata = "\1x"});
  }
  std::vector<std::string> asked;
  const auto outcome = ApplyUpdate(SmallZone(""), update, {}, [&](const UpdateRecord& record) {
    asked.push_back(record.owner.ToText());
    return asked.size() < 2;
  });
  EXPECT_EQ(std::get<UpdateRefusal>(outcome).rcode, Rcode::kRefused);
  EXPECT_EQ(asked, (std::vector<std::string>{"a.example.", "b.example."}));
}

}  // namespace
}  // namespace quorate::zone

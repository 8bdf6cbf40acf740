#include "zone/edit.h"

#include <algorithm>
#include <map>

#include "base/check.h"
#include "base/limits.h"
#include "dns/presentation.h"
#include "dns/rdata.h"
#include "zone/changes.h"
#include "zone/rules.h"
#include "zone/zone_writer.h"

namespace quorate::zone {
namespace {

using dns::RRset;
using dns::RRType;
using Kind = RRsetEdit::Kind;

// Made by whoever signs the zone, never one by one.
bool IsSignatureType(RRType type) {
  return type == RRType::kRRSIG || type == RRType::kNSEC || type == RRType::kNSEC3 ||
         type == RRType::kNSEC3PARAM;
}

// Where `rdata` stands, or would stand, in a canonical RRset.
struct Place {
  std::vector<std::string>::iterator at;
  bool found;
};
Place Find(RRset& set, std::string_view rdata) {
  const std::string wanted = dns::CanonicalRdata(set.type, rdata);
  const auto at = std::lower_bound(set.rdata.begin(), set.rdata.end(), wanted,
                                   [&](const std::string& present, const std::string& w) {
                                     return dns::CanonicalRdata(set.type, present) < w;
                                   });
  return {at, at != set.rdata.end() && dns::CanonicalRdata(set.type, *at) == wanted};
}

// The names an edit touches, as they were and as they become.
class Edition {
 public:
  explicit Edition(const Zone& base) : base_(base) {}

  std::optional<Refusal> Apply(const RRsetEdit& edit);
  // The rules, on every name touched.
  std::optional<Refusal> Check() const;
  // Settles the SOA serial; what then differs, in canonical order.
  Changeset Conclude(const SerialRule& serial);
  ZonePtr Write() const;

 private:
  struct Touched {
    dns::Name owner;  // in the case it is kept in
    std::vector<RRset> before, after;
  };
  Touched& Touch(const dns::Name& owner);
  std::optional<Refusal> CheckAsked(const RRsetEdit& edit) const;
  void DeleteAll(Touched& touched) const;
  std::vector<RRsetChange> Changes() const;

  const Zone& base_;
  std::map<dns::Name, Touched> touched_;
};

Edition::Touched& Edition::Touch(const dns::Name& owner) {
  const auto [it, added] = touched_.try_emplace(owner);
  Touched& touched = it->second;
  if (!added) return touched;
  touched.owner = owner;
  const Node* node = base_.Find(owner.wire());
  if (node != nullptr && !node->IsEmptyNonTerminal()) {
    touched.owner = dns::Name::FromView(node->owner());
    touched.before = node->Materialize();
    touched.after = touched.before;
  }
  return touched;
}

std::optional<Refusal> Edition::CheckAsked(const RRsetEdit& edit) const {
  if (!edit.owner.IsAtOrBelow(base_.apex())) {
    return Refuse(RefusalCode::kOutOfZone, edit.owner, edit.type,
                  "the name is not in the zone " + base_.apex().ToText());
  }
  if (edit.kind == Kind::kDelete && edit.type == RRType::kANY) return std::nullopt;
  if (dns::IsMetaType(edit.type)) {
    return Refuse(RefusalCode::kMetaType, edit.owner, edit.type,
                  "a query or meta type has no records (RFC 6895 3.1)");
  }
  if (edit.rdata.size() > limits::kRRsetRecordsMax) {
    return Refuse(RefusalCode::kRRsetTooLarge, edit.owner, edit.type,
                  std::to_string(edit.rdata.size()) + " records are more than a DNS message holds");
  }
  if (edit.kind != Kind::kReplace && edit.kind != Kind::kAddRecords) return std::nullopt;
  if (IsSignatureType(edit.type)) {
    return Refuse(RefusalCode::kSignatureType, edit.owner, edit.type,
                  "made by signing a zone, or imported with the whole of one; not a record to set");
  }
  for (const std::string& rdata : edit.rdata) {
    if (auto refusal = CheckRecord(base_.apex(), edit.owner, edit.type, rdata)) return refusal;
  }
  return std::nullopt;
}

void Edition::DeleteAll(Touched& touched) const {
  const bool is_apex = touched.owner == base_.apex();
  std::erase_if(touched.after, [&](const RRset& set) {
    return !(is_apex && (set.type == RRType::kSOA || set.type == RRType::kNS));
  });
}

std::optional<Refusal> Edition::Apply(const RRsetEdit& edit) {
  if (auto refusal = CheckAsked(edit)) return refusal;
  Touched& touched = Touch(edit.owner);
  if (edit.type == RRType::kANY) {
    DeleteAll(touched);
    return std::nullopt;
  }
  auto at = std::lower_bound(touched.after.begin(), touched.after.end(), edit.type,
                             [](const RRset& set, RRType type) { return set.type < type; });
  if (at == touched.after.end() || at->type != edit.type) {
    at = touched.after.insert(at,
                              RRset{.owner = touched.owner, .type = edit.type, .ttl = NormalTtl(edit.ttl)});
  }
  switch (edit.kind) {
    case Kind::kReplace:
      at->ttl = NormalTtl(edit.ttl);
      at->rdata = edit.rdata;
      dns::Canonicalize(*at);
      break;
    case Kind::kDelete:
      at->rdata.clear();
      break;
    case Kind::kAddRecords:
      if (!edit.rdata.empty() && !edit.keep_ttl) at->ttl = NormalTtl(edit.ttl);
      for (const std::string& rdata : edit.rdata) {
        if (const Place place = Find(*at, rdata); !place.found) at->rdata.insert(place.at, rdata);
      }
      break;
    case Kind::kRemoveRecords:
      for (const std::string& rdata : edit.rdata) {
        if (const Place place = Find(*at, rdata); place.found) at->rdata.erase(place.at);
      }
      break;
  }
  if (at->rdata.empty()) {
    touched.after.erase(at);
    return std::nullopt;
  }
  // Not only at the end: what is too large on the way would make the next steps slow.
  return CheckSizes(touched.owner, touched.after, *at);
}

std::optional<Refusal> Edition::Check() const {
  for (const auto& [name, touched] : touched_) {
    if (auto refusal = CheckNode(base_.apex(), touched.owner, touched.after)) return refusal;
  }
  return std::nullopt;
}

std::vector<RRsetChange> Edition::Changes() const {
  std::vector<RRsetChange> changes;
  for (const auto& [name, touched] : touched_) AppendChanges(touched.before, touched.after, changes);
  return changes;
}

Changeset Edition::Conclude(const SerialRule& serial) {
  std::vector<RRset>& apex = Touch(base_.apex()).after;
  const auto soa_set =
      std::find_if(apex.begin(), apex.end(), [](const RRset& s) { return s.type == RRType::kSOA; });
  CHECK(soa_set != apex.end());
  const auto soa = dns::ParseSoa(soa_set->rdata.front());
  CHECK(soa.has_value());
  Changeset out{.apex = base_.apex(), .from = base_.serial(), .to = base_.serial()};
  if (dns::IsNewer(soa->serial, base_.serial())) {
    out.to = soa->serial;
    out.changes = Changes();
    return out;
  }
  SetSerial(apex, base_.serial());
  if (Changes().empty()) return out;
  out.to = NextSerial(base_.serial(), serial);
  SetSerial(apex, *out.to);
  out.changes = Changes();
  return out;
}

ZonePtr Edition::Write() const {
  ZoneWriter writer(base_);
  for (const auto& [name, touched] : touched_) {
    if (touched.before != touched.after) writer.SetRRsets(touched.owner.wire(), touched.after);
  }
  return writer.Finish();
}

Refusal RefuseSigned(const Zone& zone) {
  return {RefusalCode::kSignedZone,
          zone.apex().ToText() +
              ": the zone is signed; a single change would break its signatures. Import "
              "the whole zone, signed again"};
}

}  // namespace

EditOutcome ApplyEdit(const ZonePtr& zone, const ZoneEdit& edit, const SerialRule& serial) {
  if (zone->is_signed()) return RefuseSigned(*zone);
  Edition edition(*zone);
  for (const RRsetEdit& one : edit.edits) {
    if (auto refusal = edition.Apply(one)) return *std::move(refusal);
  }
  if (auto refusal = edition.Check()) return *std::move(refusal);
  Changeset changeset = edition.Conclude(serial);
  if (changeset.empty()) return EditResult{zone, std::move(changeset)};
  return EditResult{edition.Write(), std::move(changeset)};
}

}  // namespace quorate::zone

#include "zone/edit.h"

#include "base/limits.h"
#include "dns/rr.h"
#include "zone/edition.h"
#include "zone/rules.h"

namespace quorate::zone {
namespace {

using dns::RRset;
using dns::RRType;
using Kind = RRsetEdit::Kind;

std::optional<Refusal> CheckAsked(const dns::Name& apex, const RRsetEdit& edit) {
  if (!edit.owner.IsAtOrBelow(apex)) {
    return Refuse(RefusalCode::kOutOfZone, edit.owner, edit.type,
                  "the name is not in the zone " + apex.ToText());
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
    if (auto refusal = CheckRecord(apex, edit.owner, edit.type, rdata)) return refusal;
  }
  return std::nullopt;
}

// Kinds that may leave records behind.
void Set(const RRsetEdit& edit, TouchedName& touched) {
  RRset& set = touched.FindOrAdd(edit.type, NormalTtl(edit.ttl));
  if (edit.kind == Kind::kReplace) {
    set.ttl = NormalTtl(edit.ttl);
    set.rdata = edit.rdata;
    dns::Canonicalize(set);
  } else {
    if (!edit.keep_ttl) set.ttl = NormalTtl(edit.ttl);
    for (const std::string& rdata : edit.rdata) AddRdata(set, rdata);
  }
}

std::optional<Refusal> ApplyOne(const dns::Name& apex, const RRsetEdit& edit, Edition& edition) {
  if (auto refusal = CheckAsked(apex, edit)) return refusal;
  TouchedName& touched = edition.Touch(edit.owner);
  if (edit.type == RRType::kANY) {
    edition.DeleteAll(touched);
  } else if (edit.kind == Kind::kDelete || (edit.kind == Kind::kReplace && edit.rdata.empty())) {
    touched.Erase(edit.type);
  } else if (edit.kind == Kind::kRemoveRecords) {
    for (const std::string& rdata : edit.rdata) touched.Remove(edit.type, rdata);
  } else if (!edit.rdata.empty()) {
    Set(edit, touched);
  }
  // Not only at the end: what is too large on the way would make the next steps slow.
  const RRset* set = touched.Find(edit.type);
  return set != nullptr ? CheckSizes(touched.owner, touched.after, *set) : std::nullopt;
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
  Edition edition(zone);
  for (const RRsetEdit& one : edit.edits) {
    if (auto refusal = ApplyOne(zone->apex(), one, edition)) return *std::move(refusal);
  }
  if (auto refusal = edition.Check()) return *std::move(refusal);
  return edition.Conclude(serial);
}

}  // namespace quorate::zone

#include "zone/update_checks.h"

#include <map>
#include <set>

#include "dns/presentation.h"
#include "dns/rdata.h"
#include "zone/edition.h"

namespace quorate::zone {
namespace {

using dns::Rcode;
using dns::RRClass;
using dns::RRType;

std::optional<UpdateRefusal> CheckInZone(const Zone& zone, const UpdateRecord& record) {
  if (record.owner.IsAtOrBelow(zone.apex())) return std::nullopt;
  return RefuseUpdate(Rcode::kNotZone, record, "the name is not in the zone " + zone.apex().ToText());
}

// A name is in use if it owns a record: an empty non-terminal is not (2.4.4), nor does a wildcard help.
bool IsInUse(const Zone& zone, const dns::Name& name) {
  const Node* node = zone.Find(name.wire());
  return node != nullptr && !node->IsEmptyNonTerminal();
}

bool HasRRset(const Zone& zone, const dns::Name& name, RRType type) {
  const Node* node = zone.Find(name.wire());
  return node != nullptr && !node->Find(type).empty();
}

// 2.4.1, 2.4.3 to 2.4.5: classes ANY and NONE.
std::optional<UpdateRefusal> CheckExistence(const Zone& zone, const UpdateRecord& record) {
  if (!record.rdata.empty()) {
    return RefuseUpdate(Rcode::kFormErr, record, "a prerequisite of this class has no record data");
  }
  const bool wanted = record.rr_class == RRClass::kANY;
  if (record.type == RRType::kANY) {
    if (IsInUse(zone, record.owner) == wanted) return std::nullopt;
    return wanted ? RefuseUpdate(Rcode::kNXDomain, record, "the name is not in use")
                  : RefuseUpdate(Rcode::kYXDomain, record, "the name is in use");
  }
  if (HasRRset(zone, record.owner, record.type) == wanted) return std::nullopt;
  return wanted ? RefuseUpdate(Rcode::kNXRRSet, record, "there is no such RRset")
                : RefuseUpdate(Rcode::kYXRRSet, record, "there is such an RRset");
}

// 2.4.2: the RRset is this one, its TTL aside.
struct WantedRRset {
  const UpdateRecord* first = nullptr;
  std::set<std::string> rdata;  // canonical
};
using WantedRRsets = std::map<std::pair<dns::Name, RRType>, WantedRRset>;

std::optional<UpdateRefusal> AddWanted(const UpdateRecord& record, WantedRRsets& wanted) {
  if (dns::IsMetaType(record.type)) {
    return RefuseUpdate(Rcode::kFormErr, record, "a query or meta type has no records");
  }
  if (!dns::IsValidRdata(record.type, record.rdata)) {
    return RefuseUpdate(Rcode::kFormErr, record, "the record data are not well-formed for this type");
  }
  WantedRRset& rrset = wanted[{record.owner, record.type}];
  if (rrset.first == nullptr) rrset.first = &record;
  rrset.rdata.insert(dns::CanonicalRdata(record.type, record.rdata));
  return std::nullopt;
}

bool Holds(const Zone& zone, const WantedRRset& wanted) {
  const Node* node = zone.Find(wanted.first->owner.wire());
  if (node == nullptr) return false;
  const RRsetView present = node->Find(wanted.first->type);
  if (present.size() != wanted.rdata.size()) return false;
  for (const std::string_view rdata : present) {
    if (!wanted.rdata.contains(dns::CanonicalRdata(present.type, rdata))) return false;
  }
  return true;
}

std::optional<UpdateRefusal> PrescanForm(const UpdateRecord& record) {
  const bool adds = record.rr_class == RRClass::kIN, names_rrset = record.rr_class == RRClass::kANY;
  if (!adds && !names_rrset && record.rr_class != RRClass::kNONE) {
    return RefuseUpdate(Rcode::kFormErr, record, "the class is neither that of the zone nor ANY nor NONE");
  }
  if (!adds && record.ttl != 0) {
    return RefuseUpdate(Rcode::kFormErr, record, "a deletion has TTL 0");
  }
  if (names_rrset && !record.rdata.empty()) {
    return RefuseUpdate(Rcode::kFormErr, record, "the deletion of an RRset has no record data");
  }
  if (dns::IsMetaType(record.type) && !(names_rrset && record.type == RRType::kANY)) {
    return RefuseUpdate(Rcode::kFormErr, record, "a query or meta type has no records");
  }
  if (!names_rrset && !dns::IsValidRdata(record.type, record.rdata)) {
    return RefuseUpdate(Rcode::kFormErr, record, "the record data are not well-formed for this type");
  }
  return std::nullopt;
}

}  // namespace

UpdateRefusal RefuseUpdate(Rcode rcode, const UpdateRecord& record, std::string_view why) {
  return {rcode, record.owner.ToText() + " " + dns::TypeToText(record.type) + ": " + std::string(why)};
}

std::optional<UpdateRefusal> CheckPrerequisites(const Zone& zone,
                                                std::span<const UpdateRecord> prerequisites) {
  WantedRRsets wanted;
  for (const UpdateRecord& record : prerequisites) {
    if (record.ttl != 0) return RefuseUpdate(Rcode::kFormErr, record, "a prerequisite has TTL 0");
    if (auto refusal = CheckInZone(zone, record)) return refusal;
    std::optional<UpdateRefusal> refusal;
    if (record.rr_class == RRClass::kANY || record.rr_class == RRClass::kNONE) {
      refusal = CheckExistence(zone, record);
    } else if (record.rr_class == RRClass::kIN) {
      refusal = AddWanted(record, wanted);
    } else {
      refusal =
          RefuseUpdate(Rcode::kFormErr, record, "the class is neither that of the zone nor ANY nor NONE");
    }
    if (refusal) return refusal;
  }
  for (const auto& [key, rrset] : wanted) {
    if (!Holds(zone, rrset)) {
      return RefuseUpdate(Rcode::kNXRRSet, *rrset.first, "the RRset is not the one that was asked for");
    }
  }
  return std::nullopt;
}

std::optional<UpdateRefusal> CheckPermission(const Zone& zone, std::span<const UpdateRecord> updates,
                                             const std::function<bool(const UpdateRecord&)>& may) {
  for (const UpdateRecord& record : updates) {
    if (may && !may(record)) {
      return RefuseUpdate(Rcode::kRefused, record, "the requestor may not make this change");
    }
    if (zone.is_signed()) {
      return RefuseUpdate(Rcode::kRefused, record, "the zone is signed; a change would break its signatures");
    }
    if (IsSignatureType(record.type)) {
      return RefuseUpdate(Rcode::kRefused, record, "made by signing a zone; not a record to set");
    }
  }
  return std::nullopt;
}

std::optional<UpdateRefusal> Prescan(const Zone& zone, std::span<const UpdateRecord> updates) {
  for (const UpdateRecord& record : updates) {
    if (auto refusal = CheckInZone(zone, record)) return refusal;
    if (auto refusal = PrescanForm(record)) return refusal;
  }
  return std::nullopt;
}

}  // namespace quorate::zone

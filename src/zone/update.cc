#include "zone/update.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "zone/edition.h"
#include "zone/rules.h"
#include "zone/update_checks.h"

namespace quorate::zone {
namespace {

using dns::Rcode;
using dns::RRClass;
using dns::RRset;
using dns::RRType;

constexpr RRType kWks{11};

// An alias never joins other data, nor they an alias (3.4.2.2, RFC 6672 5.2).
bool CollidesWithCname(TouchedName& touched, RRType type) {
  if (type != RRType::kCNAME) return touched.Find(RRType::kCNAME) != nullptr && !MayStandBesideCname(type);
  return std::any_of(touched.after.begin(), touched.after.end(), [](const RRset& set) {
    return set.type != RRType::kCNAME && !MayStandBesideCname(set.type);
  });
}

// An SOA where there is none, or one that does not move the serial forward (3.4.2.2).
bool IsIgnoredSoa(TouchedName& touched, const UpdateRecord& record) {
  if (record.type != RRType::kSOA) return false;
  const RRset* present = touched.Find(RRType::kSOA);
  if (present == nullptr) return true;
  const auto old = dns::ParseSoa(present->rdata.front()), wanted = dns::ParseSoa(record.rdata);
  CHECK(old && wanted);  // the zone's is valid, the record passed the prescan
  return !dns::IsNewer(wanted->serial, old->serial);
}

// Types of which an RRset has but one record: the new one takes its place (3.4.2.2, RFC 6672 5.2).
bool IsSingleton(RRType type) {
  return type == RRType::kCNAME || type == RRType::kDNAME || type == RRType::kSOA;
}

// WKS records of one address and protocol are one (3.4.2.2).
bool IsSameService(std::string_view a, std::string_view b) {
  constexpr size_t kAddressAndProtocol = 4 + 1;
  return a.size() >= kAddressAndProtocol && b.size() >= kAddressAndProtocol &&
         a.substr(0, kAddressAndProtocol) == b.substr(0, kAddressAndProtocol);
}

std::optional<UpdateRefusal> Add(const UpdateRecord& record, TouchedName& touched) {
  if (CollidesWithCname(touched, record.type) || IsIgnoredSoa(touched, record)) return std::nullopt;
  RRset& set = touched.FindOrAdd(record.type, NormalTtl(record.ttl));
  set.ttl = NormalTtl(record.ttl);  // of the whole set (RFC 2181 5.2)
  if (IsSingleton(record.type)) {
    set.rdata = {record.rdata};
  } else {
    if (record.type == kWks) {
      std::erase_if(set.rdata, [&](const std::string& r) { return IsSameService(r, record.rdata); });
    }
    AddRdata(set, record.rdata);
  }
  // Not only at the end: what is too large on the way would make the next steps slow.
  if (set.rdata.size() <= limits::kRRsetRecordsMax && touched.after.size() <= limits::kRRsetsPerNameMax)
    return std::nullopt;
  return RefuseUpdate(Rcode::kRefused, record, "the name would have more than can be sent");
}

void DeleteRRset(const UpdateRecord& record, bool is_apex, TouchedName& touched) {
  if (is_apex && (record.type == RRType::kSOA || record.type == RRType::kNS)) return;
  touched.Erase(record.type);
}

void DeleteRecord(const UpdateRecord& record, bool is_apex, TouchedName& touched) {
  if (record.type == RRType::kSOA) return;
  if (is_apex && record.type == RRType::kNS) {
    const RRset* set = touched.Find(RRType::kNS);
    if (set != nullptr && set->rdata.size() == 1) return;
  }
  touched.Remove(record.type, record.rdata);
}

// One step of 3.4.2.7; `record` passed the prescan.
std::optional<UpdateRefusal> ApplyOne(const UpdateRecord& record, const dns::Name& apex, Edition& edition) {
  TouchedName& touched = edition.Touch(record.owner);
  const bool is_apex = record.owner == apex;
  if (record.rr_class == RRClass::kIN) return Add(record, touched);
  if (record.rr_class == RRClass::kNONE) {
    DeleteRecord(record, is_apex, touched);
  } else if (record.type == RRType::kANY) {
    edition.DeleteAll(touched);
  } else {
    DeleteRRset(record, is_apex, touched);
  }
  return std::nullopt;
}

}  // namespace

UpdateOutcome ApplyUpdate(const ZonePtr& zone, const Update& update, const SerialRule& serial,
                          const std::function<bool(const UpdateRecord&)>& may) {
  if (auto refusal = CheckPrerequisites(*zone, update.prerequisites)) return *std::move(refusal);
  if (auto refusal = CheckPermission(*zone, update.updates, may)) return *std::move(refusal);
  if (auto refusal = Prescan(*zone, update.updates)) return *std::move(refusal);
  Edition edition(zone);
  for (const UpdateRecord& record : update.updates) {
    if (auto refusal = ApplyOne(record, zone->apex(), edition)) return *std::move(refusal);
  }
  if (auto refusal = edition.Check()) return UpdateRefusal{Rcode::kRefused, std::move(refusal->reason)};
  return edition.Conclude(serial);
}

}  // namespace quorate::zone

#include "zone/rules.h"

#include "base/limits.h"
#include "dns/presentation.h"

namespace quorate::zone {
namespace {

using dns::RRType;

const dns::RRset* FindSet(std::span<const dns::RRset> rrsets, RRType type) {
  for (const dns::RRset& rrset : rrsets) {
    if (rrset.type == type) return &rrset;
  }
  return nullptr;
}

std::optional<Refusal> CheckCname(const dns::Name& owner, std::span<const dns::RRset> rrsets) {
  if (FindSet(rrsets, RRType::kCNAME) == nullptr) return std::nullopt;
  for (const dns::RRset& rrset : rrsets) {
    if (rrset.type == RRType::kCNAME || MayStandBesideCname(rrset.type)) continue;
    return Refuse(
        RefusalCode::kCnameAndOther, owner, RRType::kCNAME,
        "the name also has " + dns::TypeToText(rrset.type) + "; an alias has no other data (RFC 2181 10.1)");
  }
  return std::nullopt;
}

std::optional<Refusal> CheckSingletons(const dns::Name& owner, std::span<const dns::RRset> rrsets) {
  struct Singleton {
    RRType type;
    RefusalCode code;
    std::string_view why;
  };
  static constexpr Singleton kSingletons[] = {
      {RRType::kCNAME, RefusalCode::kMultipleCname, "more than one alias for a name (RFC 2181 10.1)"},
      {RRType::kSOA, RefusalCode::kMultipleSoa, "more than one SOA (RFC 2181 6.1)"},
      {RRType::kDNAME, RefusalCode::kMultipleDname, "more than one DNAME for a name (RFC 6672 2.4)"},
  };
  for (const Singleton& single : kSingletons) {
    const dns::RRset* set = FindSet(rrsets, single.type);
    if (set != nullptr && set->rdata.size() > 1) return Refuse(single.code, owner, single.type, single.why);
  }
  return std::nullopt;
}

std::optional<Refusal> CheckApex(const dns::Name& apex, std::span<const dns::RRset> rrsets) {
  if (FindSet(rrsets, RRType::kSOA) == nullptr) {
    return Refuse(RefusalCode::kNoSoa, apex, RRType::kSOA, "the apex of a zone must have one (RFC 1035 5.2)");
  }
  if (FindSet(rrsets, RRType::kNS) == nullptr) {
    return Refuse(RefusalCode::kNoApexNs, apex, RRType::kNS,
                  "the apex of a zone must have at least one (RFC 1034 4.2.1)");
  }
  if (FindSet(rrsets, RRType::kDS) != nullptr) {
    return Refuse(RefusalCode::kDsAtApex, apex, RRType::kDS, "belongs to the parent zone (RFC 4035 2.4)");
  }
  return std::nullopt;
}

std::optional<Refusal> CheckBelowApex(const dns::Name& owner, std::span<const dns::RRset> rrsets) {
  if (FindSet(rrsets, RRType::kSOA) != nullptr) {
    return Refuse(RefusalCode::kSoaNotAtApex, owner, RRType::kSOA, "stands only at the apex of a zone");
  }
  const bool has_ns = FindSet(rrsets, RRType::kNS) != nullptr;
  if (has_ns && FindSet(rrsets, RRType::kDNAME) != nullptr) {
    return Refuse(RefusalCode::kDnameAndNs, owner, RRType::kDNAME,
                  "the name is a delegation (NS): a DNAME belongs into the child zone (RFC 6672 2.3)");
  }
  if (!has_ns && FindSet(rrsets, RRType::kDS) != nullptr) {
    return Refuse(RefusalCode::kDsWithoutNs, owner, RRType::kDS,
                  "the name is no delegation: it has no NS (RFC 4035 2.4)");
  }
  return std::nullopt;
}

std::optional<Refusal> SizeOfOne(const dns::Name& owner, const dns::RRset& rrset) {
  constexpr size_t kFixedBytes = 12;  // compressed owner, type, class, TTL, length
  size_t bytes = 0;
  for (const std::string& rdata : rrset.rdata) bytes += kFixedBytes + rdata.size();
  if (bytes <= limits::kRRsetWireBytesMax) return std::nullopt;
  return Refuse(RefusalCode::kRRsetTooLarge, owner, rrset.type,
                "the RRset would take " + std::to_string(bytes) + " octets, more than a DNS message holds");
}

}  // namespace

std::string_view RefusalName(RefusalCode code) {
  switch (code) {
    case RefusalCode::kOutOfZone:
      return "out-of-zone";
    case RefusalCode::kMetaType:
      return "meta-type";
    case RefusalCode::kBadRdata:
      return "bad-rdata";
    case RefusalCode::kCnameAndOther:
      return "cname-and-other";
    case RefusalCode::kMultipleCname:
      return "multiple-cname";
    case RefusalCode::kMultipleSoa:
      return "multiple-soa";
    case RefusalCode::kMultipleDname:
      return "multiple-dname";
    case RefusalCode::kSoaNotAtApex:
      return "soa-not-at-apex";
    case RefusalCode::kNoSoa:
      return "no-soa";
    case RefusalCode::kNoApexNs:
      return "no-apex-ns";
    case RefusalCode::kDnameAndNs:
      return "dname-and-ns";
    case RefusalCode::kDsAtApex:
      return "ds-at-apex";
    case RefusalCode::kDsWithoutNs:
      return "ds-without-ns";
    case RefusalCode::kRRsetTooLarge:
      return "rrset-too-large";
    case RefusalCode::kSignedZone:
      return "signed-zone";
    case RefusalCode::kSignatureType:
      return "signature-type";
    case RefusalCode::kSerialNotNewer:
      return "serial-not-newer";
    case RefusalCode::kTooManyTypes:
      return "too-many-types";
  }
  return "unknown";  // a code of a newer version
}

bool MayStandBesideCname(RRType type) {
  return type == RRType::kRRSIG || type == RRType::kNSEC || type == RRType::kKEY || type == RRType::kSIG;
}

Refusal Refuse(RefusalCode code, const dns::Name& owner, RRType type, std::string_view why) {
  return {code, owner.ToText() + " " + dns::TypeToText(type) + ": " + std::string(why)};
}

std::optional<Refusal> CheckRecord(const dns::Name& apex, const dns::Name& owner, RRType type,
                                   std::string_view rdata) {
  if (!owner.IsAtOrBelow(apex)) {
    return Refuse(RefusalCode::kOutOfZone, owner, type, "the name is not in the zone " + apex.ToText());
  }
  if (dns::IsMetaType(type)) {
    return Refuse(RefusalCode::kMetaType, owner, type, "a query or meta type has no records (RFC 6895 3.1)");
  }
  if (!dns::IsValidRdata(type, rdata)) {
    return Refuse(RefusalCode::kBadRdata, owner, type, "the record data are not well-formed for this type");
  }
  return std::nullopt;
}

std::optional<Refusal> CheckSizes(const dns::Name& owner, std::span<const dns::RRset> rrsets,
                                  const dns::RRset& changed) {
  if (rrsets.size() > limits::kRRsetsPerNameMax) {
    return Refuse(RefusalCode::kTooManyTypes, owner, changed.type,
                  "the name would have more than " + std::to_string(limits::kRRsetsPerNameMax) + " types");
  }
  return SizeOfOne(owner, changed);
}

std::optional<Refusal> CheckNode(const dns::Name& apex, const dns::Name& owner,
                                 std::span<const dns::RRset> rrsets) {
  if (auto refusal = CheckCname(owner, rrsets)) return refusal;
  if (auto refusal = CheckSingletons(owner, rrsets)) return refusal;
  if (auto refusal = owner == apex ? CheckApex(owner, rrsets) : CheckBelowApex(owner, rrsets)) return refusal;
  for (const dns::RRset& rrset : rrsets) {
    if (auto refusal = CheckSizes(owner, rrsets, rrset)) return refusal;
  }
  return std::nullopt;
}

}  // namespace quorate::zone

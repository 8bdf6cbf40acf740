// A whole zone from its records: import, and rebuilding the view from the store at start.
#pragma once

#include <string>
#include <variant>
#include <vector>

#include "dns/rr.h"
#include "zone/refusal.h"
#include "zone/zone.h"

namespace quorate::zone {

// What is wrong with one name.
struct NodeRefusal {
  dns::Name owner;
  Refusal refusal;
};

// One thread. Records come in any order; the outcome does not depend on it. A name written in several cases
// gets one of them (the bytewise smallest); an RRset with several TTLs the smallest (RFC 2181 5.2).
class ZoneBuilder {
 public:
  explicit ZoneBuilder(dns::Name apex);

  // Cheap: the rules are checked by Build.
  void Add(const dns::Name& owner, dns::RRType type, uint32_t ttl, std::string_view rdata);
  void Add(const dns::RRset& rrset);
  size_t record_count() const { return records_.size(); }

  // The rules of ApplyEdit, on the whole zone. About a second for a million records.
  std::variant<ZonePtr, Refusal> Build() &&;
  // The same, with the names that are refused, in canonical order; the first 1000.
  std::variant<ZonePtr, std::vector<NodeRefusal>> BuildTellingAll() &&;

 private:
  struct Record {
    uint64_t owner_hash;
    size_t owner_at, rdata_at;  // in bytes_
    uint32_t ttl;
    uint32_t rdata_size;
    dns::RRType type;
    uint8_t owner_size;
  };
  dns::NameView OwnerOf(const Record& record) const;
  std::string_view RdataOf(const Record& record) const;
  bool Before(const Record& a, const Record& b) const;
  bool SameOwner(const Record& a, const Record& b) const;
  std::vector<dns::RRset> RRsetsOf(const dns::Name& owner, size_t begin, size_t end) const;

  dns::Name apex_;
  std::string bytes_;  // owners and rdata of records_
  std::vector<Record> records_;
  std::optional<Refusal> refused_;  // the first record that could not be kept
};

}  // namespace quorate::zone

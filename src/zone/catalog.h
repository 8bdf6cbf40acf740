// Catalog zones (RFC 9432): zones whose records are a list of other zones. Pure; any thread.
//   version TXT "2"        <label>.zones PTR member        coo.<label>.zones PTR next-catalog
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "zone/edit.h"
#include "zone/zone.h"

namespace quorate::zone {

struct CatalogMember {
  dns::Name name;
  std::string label;             // octets; a member whose label changes begins anew (RFC 9432 5.4)
  std::optional<dns::Name> coo;  // the catalog that may take it over (4.4.1)
  bool operator==(const CatalogMember&) const = default;
};

// In the order of their labels. The error says why it is broken: then its last good state counts (RFC
// 9432 5.1). Properties that are not known here do not matter (4.3).
Result<std::vector<CatalogMember>, std::string> CatalogMembers(const Zone& catalog);

// A produced catalog without members: apex NS `invalid.` and the version (4.1, 4.2.1).
std::vector<dns::RRset> EmptyCatalog(const dns::Name& apex);
// What makes `member` be listed, or not; no edits: it is so already. The label is made of the member's name,
// so that every replica makes the same.
ZoneEdit ListMember(const Zone& catalog, const dns::Name& member, bool listed);
// What makes it list exactly these, with its version.
ZoneEdit ListMembers(const Zone& catalog, const std::vector<dns::Name>& members);

}  // namespace quorate::zone

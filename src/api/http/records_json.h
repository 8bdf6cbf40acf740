// Zones and records between JSON (as PowerDNS has it) and our own form.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "base/result.h"
#include "dns/rr.h"
#include "rsm/outcome.h"
#include "zone/edit.h"

namespace quorate::api {

// One line; bytes that are not UTF-8 are replaced.
std::string Dump(const nlohmann::json& value);

nlohmann::json RRsetToJson(const dns::RRset& rrset);
// With create_revision and mod_revision.
nlohmann::json StoredRRsetToJson(const rsm::StoredRRset& stored);

// "example.org." -> "example.org.", "." -> "=2E", other bytes than letters, digits, ".", "-" and "_" ->
// "=XX".
std::string ZoneIdOf(const dns::Name& apex);
Result<dns::Name, std::string> ZoneOfId(std::string_view id);

// Text that says what is wrong, for people.
struct JsonError {
  std::string what;
};
// The "rrsets" of a PATCH, in order. An edit that adds records without a "ttl" has ttl_given false.
struct PatchEdit {
  zone::RRsetEdit edit;
  bool ttl_given = true;
};
Result<std::vector<PatchEdit>, JsonError> EditsOf(const nlohmann::json& body);
// The "rrsets" of a new zone.
Result<std::vector<dns::RRset>, JsonError> RRsetsOf(const nlohmann::json& rrsets);

}  // namespace quorate::api

// What is wrong with a zone file, all of it: syntax, the rules of zones, and what is legal and seldom meant.
#pragma once

#include <string>
#include <vector>

#include "cli/zone_file.h"
#include "zone/zone.h"

namespace quorate::cli {

inline constexpr size_t kFaultsMax = 100;  // that are told

struct ZoneFaults {
  std::vector<dns::TextError> errors, warnings;
  bool more = false;   // errors than are told
  size_t records = 0;  // that were read
  zone::ZonePtr zone;  // nullptr: there are errors
};

// The whole zone is in memory meanwhile.
ZoneFaults CheckZone(const ZoneFile& file, const dns::Name& apex, uint32_t default_ttl);

// Only what can be told record by record, however large the file: errors, and how many records there are.
ZoneFaults CheckRecords(const ZoneFile& file, const dns::Name& apex, uint32_t default_ttl);

// A line each, to stderr.
void PrintFaults(const ZoneFaults& faults);

}  // namespace quorate::cli

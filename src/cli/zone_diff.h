// What two versions of a zone differ by, record by record.
#pragma once

#include <string>
#include <vector>

#include "cli/zone_file.h"

namespace quorate::cli {

// A version of a zone as lines "owner ttl IN type rdata", in canonical order; each record once.
class ZoneLines {
 public:
  void Add(const dns::TextRecord& record);
  // After the last record.
  void Sort();

  struct Line {
    std::string key;  // sorts as RFC 4034 6.1 sorts owners, then by type
    std::string text;
    auto operator<=>(const Line&) const = default;
  };
  const std::vector<Line>& lines() const { return lines_; }

 private:
  std::vector<Line> lines_;
};

// The error is the first, with its place.
CliResult<ZoneLines> LinesOf(const ZoneFile& file, const dns::Name& zone, uint32_t default_ttl);
CliResult<ZoneLines> LinesOfText(const std::string& text, const dns::Name& zone);

struct ZoneDifference {
  std::vector<std::string> lines;  // "- ..." and "+ ..."
  size_t removed = 0, added = 0;
};
ZoneDifference Difference(const ZoneLines& before, const ZoneLines& after);

}  // namespace quorate::cli

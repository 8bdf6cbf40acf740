// A zone's master file (RFC 1035 5) to RRsets, and what a new zone needs when nothing was said.
#pragma once

#include <cstdint>
#include <deque>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "dns/presentation.h"
#include "dns/rr.h"
#include "dns/zone_text.h"

namespace quorate::api {

// A zone file that comes in parts, to RRsets that are taken away as they come. An RRset may come in several
// pieces, with several TTLs: the zone's builder joins them. Errors: syntax, classes other than IN, owners
// outside the zone, CDS and its like where they cannot be, no SOA. One thread.
class ZoneTextReader {
 public:
  // A piece is over once it has `piece_bytes`, about, as a command has them.
  ZoneTextReader(const dns::Name& apex, uint32_t default_ttl, size_t piece_bytes = SIZE_MAX);
  ZoneTextReader(const ZoneTextReader&) = delete;

  // The error stops it.
  std::optional<dns::TextError> Feed(std::string_view part);
  std::optional<dns::TextError> Finish();

  bool has_piece() const { return !pieces_.empty(); }  // one that is over
  bool is_empty() const { return pieces_.empty() && rrsets_.empty(); }
  size_t records() const { return records_; }  // of all
  // The next piece: one that is over, or else what there is.
  std::vector<dns::RRset> Take();

 private:
  std::string Add(dns::TextRecord&& record);

  const dns::Name apex_;
  const size_t piece_bytes_;
  std::deque<std::vector<dns::RRset>> pieces_;  // that are over
  std::vector<dns::RRset> rrsets_;
  std::vector<std::string> cds_, cdnskey_;
  size_t bytes_ = 0, records_ = 0;
  bool has_soa_ = false;
  std::optional<dns::TextError> error_;
  dns::ZoneTextParser parser_;
};

// A whole text that is in memory.
Result<std::vector<dns::RRset>, dns::TextError> RRsetsOfZoneText(const dns::Name& apex,
                                                                 std::string_view text);

// Adds the apex SOA and NS that `rrsets` do not have. Without nameservers: "ns1" below the apex.
void AddApexDefaults(const dns::Name& apex, const std::vector<dns::Name>& nameservers,
                     std::vector<dns::RRset>& rrsets);

}  // namespace quorate::api

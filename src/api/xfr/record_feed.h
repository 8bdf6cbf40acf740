// The records of a transfer in their order, one at a time.
#pragma once

#include <memory>
#include <string_view>
#include <vector>

#include "api/xfr/journal.h"
#include "zone/zone.h"

namespace quorate::api::xfr {

struct FeedRecord {
  dns::NameView owner;
  dns::RRType type = dns::RRType::kA;
  uint32_t ttl = 0;
  std::string_view rdata;
};

class RecordFeed {
 public:
  virtual ~RecordFeed() = default;
  // Where it stands; nullptr: at the end. Valid until Advance.
  virtual const FeedRecord* Peek() = 0;
  virtual void Advance() = 0;
};

// A whole zone (RFC 5936 2.2): SOA, all other records in canonical order, glue and what is occluded too
// (3.5), SOA. A signature has the TTL of what it covers (RFC 4034 3). Holds the version. Making one sorts the
// zone: about a second for a million names.
std::unique_ptr<RecordFeed> ZoneFeed(zone::ZonePtr zone);
// An incremental transfer (RFC 1995 4) that ends at `zone`.
std::unique_ptr<RecordFeed> DeltaFeed(zone::ZonePtr zone, std::vector<Delta> deltas);
// The SOA alone: there is nothing newer, or no room for it (RFC 1995 2, 4).
std::unique_ptr<RecordFeed> SoaFeed(zone::ZonePtr zone);

// The octets of all records on the wire, without compression.
size_t WireBytesOf(const zone::Zone& zone);

}  // namespace quorate::api::xfr

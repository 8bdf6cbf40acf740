// Dynamic update of a zone as a pure function: all of RFC 2136 section 3 but for the zone section (3.1),
// which is the door's, and for what makes it durable (3.5), which is the log's.
#pragma once

#include <functional>
#include <string>
#include <variant>
#include <vector>

#include "dns/rr.h"
#include "zone/edit.h"
#include "zone/serial.h"

namespace quorate::zone {

// A record of an UPDATE message as it came, names in it uncompressed. Any octets: what is not well-formed is
// answered FORMERR. The class says what is meant (RFC 2136 2.4, 2.5).
struct UpdateRecord {
  dns::Name owner;
  dns::RRType type = dns::RRType::kA;
  dns::RRClass rr_class = dns::RRClass::kIN;
  uint32_t ttl = 0;
  std::string rdata;
  bool operator==(const UpdateRecord&) const = default;
};

struct Update {
  std::vector<UpdateRecord> prerequisites, updates;
  bool operator==(const Update&) const = default;
};

// The zone is as it was.
struct UpdateRefusal {
  dns::Rcode rcode = dns::Rcode::kServFail;
  std::string reason;  // for people and logs; names the record and why
};

using UpdateOutcome = std::variant<EditResult, UpdateRefusal>;

// Prerequisites (3.2), permission (3.3), prescan (3.4.1), update (3.4.2), in this order; all of it or
// nothing. An EditResult is NOERROR; without an effect it is the same version and the serial stays. Else the
// serial moves as `serial` says, unless the update itself moved it forward (3.6). `may`: whether the
// requestor may make this change, asked for each update record after the prerequisites hold; empty:
// everything. A signed zone and RRSIG, NSEC, NSEC3 and NSEC3PARAM are REFUSED, as is what would leave the
// zone against the rules (zone/rules.h) where RFC 2136 does not say that it is ignored. Cost: the size of the
// update and of the RRsets at the names it touches. Deterministic; any thread.
UpdateOutcome ApplyUpdate(const ZonePtr& zone, const Update& update, const SerialRule& serial,
                          const std::function<bool(const UpdateRecord&)>& may);

}  // namespace quorate::zone

// NOTIFY that comes in (RFC 1996): who may say that a zone of ours changed at its primary.
#pragma once

#include <optional>

#include "api/dns/exchange.h"
#include "zone/zone_set.h"

namespace quorate::api::door {

// A NOTIFY that is believed so far that the primary is asked.
struct Notified {
  dns::Name apex;
  std::optional<dns::Serial> serial;  // as the message hints; it may lie (RFC 1996 3.11)
  zone::Address from{};
};

struct NotifyVerdict {
  Verdict verdict;
  std::optional<Notified> notified;
  bool may_be_stale = false;  // of a refusal because of what is known here
};
// Accepted from the addresses of the zone's primaries, and from whom its `notify` allows (RFC 1996 3.10).
NotifyVerdict CheckNotify(const wire::Message& asked, const zone::Peer& peer, const zone::ZoneSet& zones);

}  // namespace quorate::api::door

// Dynamic update (RFC 2136): from a message to one command, and from its outcome to a response code.
#pragma once

#include <optional>

#include "api/dns/exchange.h"
#include "replica/client.h"
#include "rsm/command.h"
#include "zone/zone_set.h"

namespace quorate::api::door {

// A signed UPDATE can come again, to a replica whose clock is behind, until twice its fudge and that have
// passed since it was applied: for so long it is known.
inline constexpr Duration kClocksApart = std::chrono::minutes(5);
static_assert(2 * std::chrono::seconds(kFudgeSecondsMax) + kClocksApart <= rsm::kUpdateRememberedMax);

// RFC 2136 3.1: nullopt: it may be proposed. Of a refusal because of the zones, keys or rules that are known
// here `may_be_stale` is set.
struct UpdateFault {
  Verdict verdict;
  bool may_be_stale = false;
};
std::optional<UpdateFault> CheckUpdate(const wire::Message& asked, const zone::Peer& peer,
                                       const zone::ZoneSet& zones);

// The command that an update which CheckUpdate lets through becomes.
rsm::Command UpdateCommand(const wire::Message& asked, const Exchange& exchange);

// What a signed request is known by when it comes again, here or at another replica (RFC 8945 5.4, 10): of
// the key's name and the MAC.
std::string UpdateIdentity(const wire::TsigRecord& tsig);

// Never says that nothing was changed where that is not known.
Verdict VerdictOf(const replica::ProposeOutcome& outcome);

}  // namespace quorate::api::door

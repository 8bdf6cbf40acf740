#include "api/dns/notify_in.h"

#include <fmt/format.h>

#include <algorithm>

namespace quorate::api::door {
namespace {

using dns::Rcode;

std::optional<dns::Serial> SerialIn(const wire::Message& asked) {
  for (const wire::Record& r : asked.answer) {
    if (r.type != dns::RRType::kSOA || r.name != asked.questions[0].name) continue;
    if (const auto soa = dns::ParseSoa(r.rdata)) return soa->serial;
  }
  return std::nullopt;
}

}  // namespace

NotifyVerdict CheckNotify(const wire::Message& asked, const zone::Peer& peer, const zone::ZoneSet& zones) {
  if (asked.edns && asked.edns->version != 0) return {.verdict = {.rcode = Rcode::kBadVers}, .notified = {}};
  if (asked.questions.size() != 1 || asked.questions[0].type != dns::RRType::kSOA)
    return {.verdict = {.rcode = Rcode::kFormErr}, .notified = {}};
  const wire::Question& named = asked.questions[0];
  const zone::ZonePtr zone =
      named.rr_class == dns::RRClass::kIN ? zones.Get(named.name.wire()) : zone::ZonePtr();
  if (!zone)
    return {.verdict = {.rcode = Rcode::kNotAuth,
                        .ede = Ede::kOther,
                        .text = fmt::format("no zone {} here", named.name.ToText())},
            .notified = {},
            .may_be_stale = true};
  const zone::Settings& settings = zones.SettingsOf(*zone);
  const bool is_primary = std::ranges::any_of(
      settings.primaries, [&](const zone::Remote& remote) { return remote.address == peer.address; });
  if (!settings.is_secondary() || (!is_primary && !settings.notify.Allows(peer)))
    return {.verdict = {.rcode = Rcode::kRefused,
                        .ede = Ede::kProhibited,
                        .text = settings.is_secondary() ? "not one of the zone's primaries"
                                                        : "this is the zone's primary"},
            .notified = {},
            .may_be_stale = true};
  return {.verdict = {.rcode = Rcode::kNoError, .aa = true},
          .notified = Notified{named.name, SerialIn(asked), peer.address}};
}

}  // namespace quorate::api::door

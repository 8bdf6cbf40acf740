#include "api/dns/update.h"

#include <fmt/format.h>

#include <algorithm>

#include "rsm/outcome.h"
#include "wire/hmac.h"

namespace quorate::api::door {
namespace {

using dns::Rcode;

std::vector<zone::UpdateRecord> Records(const std::vector<wire::Record>& section) {
  std::vector<zone::UpdateRecord> out;
  out.reserve(section.size());
  for (const wire::Record& r : section) out.push_back({r.name, r.type, r.rr_class, r.ttl, r.rdata});
  return out;
}

Verdict ServFail(Ede code, std::string text) {
  return {.rcode = Rcode::kServFail, .ede = code, .text = std::move(text)};
}

Verdict VerdictOf(replica::Refusal why) {
  switch (why) {
    case replica::Refusal::kNoLeader:
      return ServFail(Ede::kNetworkError, "no leader; nothing was changed: try again");
    case replica::Refusal::kQueueFull:
      return ServFail(Ede::kNotReady, "too many writes wait; nothing was changed: try again later");
    case replica::Refusal::kTooLarge:
      return ServFail(Ede::kOther, "too large for one change");
    case replica::Refusal::kStopping:
      return ServFail(Ede::kNotReady, "this replica is stopping; nothing was changed: ask another one");
    case replica::Refusal::kDiskLow:
      return ServFail(Ede::kNotReady, "the disk is nearly full; nothing was changed: ask another replica");
    case replica::Refusal::kFeatureLevel:
      return {.rcode = Rcode::kNotImp,
              .ede = Ede::kNotSupported,
              .text = "some members of the group run a version without UPDATE: upgrade them first"};
  }
  return ServFail(Ede::kOther, "refused");
}

Verdict VerdictOf(const rsm::CommandResult& result) {
  switch (result.refused) {
    case rsm::Refused::kNot:
      return {};
    case rsm::Refused::kUpdate:
      return {.rcode = result.rcode,
              .ede = result.rcode == Rcode::kRefused ? Ede::kProhibited : Ede::kOther,
              .text = result.reason};
    case rsm::Refused::kSecondaryZone:
      return {.rcode = Rcode::kRefused, .ede = Ede::kProhibited, .text = result.reason};
    case rsm::Refused::kNoSuchZone:
      return {.rcode = Rcode::kNotAuth, .ede = Ede::kOther, .text = result.reason};
    default:
      return ServFail(Ede::kOther, result.reason);
  }
}

}  // namespace

std::optional<UpdateFault> CheckUpdate(const wire::Message& asked, const zone::Peer& peer,
                                       const zone::ZoneSet& zones) {
  if (asked.edns && asked.edns->version != 0) return UpdateFault{.verdict = {.rcode = Rcode::kBadVers}};
  if (asked.questions.size() != 1 || asked.questions[0].type != dns::RRType::kSOA)
    return UpdateFault{.verdict = {.rcode = Rcode::kFormErr}};
  const wire::Question& named = asked.questions[0];
  if (named.rr_class != dns::RRClass::kIN) return UpdateFault{.verdict = {.rcode = Rcode::kNotAuth}};
  const zone::ZonePtr zone = zones.Get(named.name.wire());
  if (!zone)
    return UpdateFault{.verdict = {.rcode = Rcode::kNotAuth,
                                   .ede = Ede::kOther,
                                   .text = fmt::format("no zone {} here", named.name.ToText())},
                       .may_be_stale = true};
  const zone::Settings& settings = zones.SettingsOf(*zone);
  if (!settings.update.Allows(peer))
    return UpdateFault{.verdict = {.rcode = Rcode::kRefused,
                                   .ede = Ede::kProhibited,
                                   .text = "the zone's `update` does not allow it"},
                       .may_be_stale = true};
  if (settings.is_secondary())
    return UpdateFault{.verdict = {.rcode = Rcode::kRefused,
                                   .ede = Ede::kProhibited,
                                   .text = "a secondary zone is changed at its primary"},
                       .may_be_stale = true};
  return std::nullopt;
}

std::string UpdateIdentity(const wire::TsigRecord& tsig) {
  // The MAC may be cut, down to half of it (RFC 8945 5.2.2.1): cut otherwise, the request is still the same.
  const auto algorithm = dns::TsigAlgorithmFromName(tsig.algorithm.Folded().wire());
  const size_t never_cut =
      algorithm ? std::max<size_t>(10, dns::TsigMacBytes(*algorithm) / 2) : tsig.mac.size();
  wire::Hmac digest(dns::TsigAlgorithm::kHmacSha256, tsig.key.Folded().wire());
  digest.Add(std::string_view(tsig.mac).substr(0, never_cut));
  return digest.Finish();
}

rsm::Command UpdateCommand(const wire::Message& asked, const Exchange& exchange) {
  rsm::ZoneUpdate body{
      .apex = asked.questions[0].name,
      .update = {.prerequisites = Records(asked.answer), .updates = Records(asked.authority)},
      .client = exchange.client(),
      .key = exchange.key(),
      .identity = {}};
  if (exchange.is_signed()) {
    body.identity = UpdateIdentity(exchange.tsig());
    body.remembered =
        2 * std::chrono::seconds(std::min(exchange.tsig().fudge, kFudgeSecondsMax)) + kClocksApart;
  }
  return {.idempotency_key = {},
          .session = {},
          .if_revision = {},
          .origin = fmt::format("dns {}", exchange.Who()),
          .body = std::move(body)};
}

Verdict VerdictOf(const replica::ProposeOutcome& outcome) {
  if (const auto* refused = std::get_if<replica::NotProposed>(&outcome)) return VerdictOf(refused->why);
  const auto* decided = std::get_if<replica::Decided>(&outcome);
  const auto result = decided ? rsm::DecodeResult(decided->outcome) : std::nullopt;
  if (!result)
    return ServFail(Ede::kNetworkError,
                    "whether it was applied is not known yet: sending the same signed message again is safe");
  return VerdictOf(*result);
}

}  // namespace quorate::api::door

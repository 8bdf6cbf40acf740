#include "api/http/errors.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/records_json.h"
#include "base/status_macros.h"

namespace quorate::api {
namespace {

using nlohmann::json;

HttpResponse WithRetry(HttpResponse response) {
  response.headers.emplace_back("Retry-After", "1");
  return response;
}

}  // namespace

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view error, std::string_view hint) {
  json body = {{"error", error}, {"code", code}};
  if (!hint.empty()) body["hint"] = hint;
  return {.status = status, .body = Dump(body)};
}

HttpResponse RefusedResponse(const rsm::CommandResult& result) {
  using rsm::Refused;
  const auto reply = [&](int status, std::string_view code, std::string_view hint = "") {
    return ErrorResponse(status, code, result.reason, hint);
  };
  switch (result.refused) {
    case Refused::kNot:
      break;
    case Refused::kMalformed:
      return reply(400, "malformed");
    case Refused::kNoSuchZone:
      return reply(404, "no_such_zone", "GET /api/v1/servers/localhost/zones lists the zones of this group");
    case Refused::kZoneExists:
      return reply(409, "zone_exists", "PUT .../zones/{zone}/zonefile replaces a whole zone");
    case Refused::kInvalidZone:
      return reply(422, "invalid", "nothing was changed");
    case Refused::kConflict: {
      json body = {{"error", result.reason},
                   {"code", "precondition_failed"},
                   {"hint", "read it again and send If-Match with its mod_revision"},
                   {"revision", result.revision.value},
                   {"current", json::array()}};
      for (const rsm::StoredRRset& stored : result.current)
        body["current"].push_back(StoredRRsetToJson(stored));
      return {.status = 412, .body = Dump(body)};
    }
    case Refused::kReserved:
      return reply(403, "reserved");
    case Refused::kStore:
      return reply(422, "store");
    case Refused::kKeyReused:
      return reply(422, "idempotency_key_reused", "use a new Idempotency-Key for every new command");
    case Refused::kSeeded:
      return reply(409, "seeded");
    case Refused::kUnknown:
      return UnknownResponse(result.reason);
    case Refused::kTableFull:
      return WithRetry(reply(503, "table_full", "nothing was changed: try again a little later"));
    case Refused::kOutcomeTooLarge:
      return reply(422, "outcome_too_large", "nothing was changed");
    case Refused::kUpdate:
      return reply(422, "update_refused", "nothing was changed");
    case Refused::kSecondaryZone:
      return reply(409, "secondary_zone", "nothing was changed");
    case Refused::kKeyExists:
      return reply(409, "key_exists", "delete it first, or replace it with PUT");
    case Refused::kNoSuchKey:
      return reply(404, "no_such_key", "`quorate tsig list` shows those there are");
  }
  return ErrorResponse(500, "internal", "an outcome that this version does not know");
}

HttpResponse NotProposedResponse(replica::Refusal why) {
  using replica::Refusal;
  switch (why) {
    case Refusal::kNoLeader:
      return WithRetry(ErrorResponse(503, "no_leader",
                                     "the group has no leader just now; nothing was changed",
                                     "try again, or ask another replica"));
    case Refusal::kQueueFull:
      return WithRetry(ErrorResponse(503, "busy", "too many writes are waiting; nothing was changed",
                                     "try again a little later"));
    case Refusal::kTooLarge:
      return ErrorResponse(413, "too_large",
                           "the change is larger than one command may be; nothing was changed",
                           "split it into several changes");
    case Refusal::kStopping:
      return WithRetry(ErrorResponse(503, "stopping", "this replica is stopping; nothing was changed",
                                     "ask another replica"));
    case Refusal::kFeatureLevel:
      return WithRetry(
          ErrorResponse(503, "feature_level",
                        "some replicas of the group run an older version, which does not know "
                        "this; nothing was changed",
                        "upgrade them all (`quorate member list` shows their versions), then try "
                        "again"));
    case Refusal::kDiskLow:
      return ErrorResponse(
          507, "disk_low", "this replica's disk is nearly full; nothing was changed",
          "delete something, give its disk room, or ask another replica; deletions are taken");
  }
  return ErrorResponse(500, "internal", "a refusal that this version does not know");
}

HttpResponse UnknownResponse() {
  return WithRetry(
      {.status = 504,
       .body = Dump({{"error", "the outcome is unknown: the change may or may not be applied"},
                     {"code", "unknown"},
                     {"hint", "send it again with the same Idempotency-Key, to any replica of the group"}})});
}

HttpResponse UnknownResponse(const std::string& reason) {
  return {.status = 504,
          .body = Dump({{"error", reason},
                        {"code", "unknown"},
                        {"hint", "nothing was applied now; look at what is there, then decide"}})};
}

HttpResponse BadZoneText(const dns::TextError& error) {
  return {
      .status = 422,
      .body = Dump({{"error", fmt::format("line {}, column {}: {}", error.line, error.column, error.what)},
                    {"code", "bad_zone_text"},
                    {"line", error.line},
                    {"column", error.column},
                    {"reason", error.what},
                    {"hint", "nothing was changed"}})};
}

HttpResponse WithOutcome(HttpResponse response) {
  // 504 is given for nothing else; what may be repeated says after how long.
  const bool applied = response.status / 100 == 2;
  const std::string outcome = applied ? "applied" : response.status == 504 ? "unknown" : "refused";
  const bool retryable = std::any_of(response.headers.begin(), response.headers.end(),
                                     [](const auto& header) { return header.first == "Retry-After"; });
  response.headers.emplace_back("X-Quorate-Outcome", outcome);
  if (response.content_type != "application/json" || !response.body.starts_with('{')) return response;
  // Into the text: a zone's is long.
  std::string members = "\"outcome\":\"" + outcome + "\"";
  if (!applied) members += retryable ? ",\"retryable\":true" : ",\"retryable\":false";
  if (response.body[1] != '}') members += ",";
  response.body.insert(1, members);
  return response;
}

HttpResponse StatusResponse(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kInvalidArgument:
    case absl::StatusCode::kNotFound:
      return ErrorResponse(422, "invalid", MessageOf(status));
    case absl::StatusCode::kFailedPrecondition:
      return ErrorResponse(409, "conflict", MessageOf(status));
    case absl::StatusCode::kResourceExhausted:
      return WithRetry(ErrorResponse(503, "busy", MessageOf(status), "try again a little later"));
    case absl::StatusCode::kDeadlineExceeded:
      return WithRetry(ErrorResponse(503, "timeout", MessageOf(status),
                                     "no quorum answered; try again, or ask another replica"));
    default:
      return WithRetry(ErrorResponse(503, "no_leader", MessageOf(status),
                                     "try again, ask another replica, or read with ?consistency=local"));
  }
}

}  // namespace quorate::api

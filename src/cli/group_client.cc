#include "cli/group_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <random>
#include <thread>

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration kBackoffFirst = std::chrono::milliseconds(50);
constexpr Duration kBackoffMax = std::chrono::seconds(1);
constexpr Duration kUnreachableMax = std::chrono::seconds(3);  // a restarting replica listens again within it

bool IsDefinite(const HttpReply& reply) {
  return reply.fate == HttpReply::Fate::kAnswered && (reply.status < 502 || reply.status > 504);
}
// Whether the command of this attempt may have been applied all the same.
bool MayBeApplied(const HttpReply& reply) {
  return reply.fate == HttpReply::Fate::kLost ||
         (reply.fate == HttpReply::Fate::kAnswered && (reply.status == 502 || reply.status == 504));
}

std::string Why(const std::string& url, const HttpReply& reply) {
  return fmt::format("{}: {}", url,
                     reply.fate == HttpReply::Fate::kAnswered ? ErrorOf(reply).message : reply.error);
}

// What a failed --if-revision found: "; now at revision 7: a.example. 60 IN A 192.0.2.1".
std::string CurrentText(const json& body) {
  std::string out;
  if (!body.is_object() || !body.contains("current") || !body["current"].is_array()) return out;
  for (const json& rrset : body["current"]) {
    if (!rrset.is_object() || !rrset.contains("records") || !rrset["records"].is_array()) continue;
    out += fmt::format("; now, since revision {}:", rrset.value("mod_revision", uint64_t{0}));
    for (const json& record : rrset["records"]) {
      out += fmt::format(" {} {} {} {}", rrset.value("name", ""), rrset.value("ttl", 0u),
                         rrset.value("type", ""), record.value("content", ""));
    }
  }
  return out.empty() ? "; there is nothing now" : out;
}

HttpCall CallOf(const GroupRequest& request, const CallPolicy& policy, const std::string& idempotency_key) {
  HttpCall call{
      .method = request.method, .body = request.body, .headers = request.headers, .ca_file = policy.ca_file};
  if (!request.body.empty()) call.headers.emplace_back("Content-Type", request.content_type);
  if (!policy.token.empty()) call.headers.emplace_back("X-API-Key", policy.token);
  if (request.method != "GET") call.headers.emplace_back("Idempotency-Key", idempotency_key);
  return call;
}

}  // namespace

GroupReply GroupClient::Call(const Group& group, const GroupRequest& request) const {
  HttpCall call = CallOf(request, policy_, NewIdempotencyKey());
  const SteadyClock::time_point start = SteadyClock::now(), deadline = start + policy_.overall;
  bool may_be_applied = false, anybody_there = false;
  std::string why = "it has no HTTP door";
  for (Duration backoff = kBackoffFirst;; backoff = std::min(2 * backoff, kBackoffMax)) {
    for (const Replica& replica : group.replicas) {
      const Duration left = deadline - SteadyClock::now();
      if (replica.http.empty() || left <= Duration::zero()) continue;
      call.url = replica.http + request.path;
      call.timeout = policy_.attempt_may_outlast ? policy_.attempt : std::min(policy_.attempt, left);
      HttpReply reply = Send(call);
      if (IsDefinite(reply)) return reply;
      anybody_there |= reply.fate != HttpReply::Fate::kNotSent;
      may_be_applied |= request.method != "GET" && MayBeApplied(reply);
      why = Why(replica.http, reply);
    }
    const SteadyClock::time_point give_up =
        anybody_there ? deadline : std::min(deadline, start + kUnreachableMax);
    if (SteadyClock::now() + backoff >= give_up) break;
    std::this_thread::sleep_for(backoff);
  }
  if (may_be_applied) {
    return CliError{
        ExitCode::kUnknown,
        fmt::format("{}: the outcome is unknown ({}); look at the record, then decide", group.Label(), why)};
  }
  return CliError{ExitCode::kUnavailable,
                  fmt::format("{} is unavailable{} ({}); it is safe to try again", group.Label(),
                              request.method == "GET" ? "" : ", nothing was changed", why)};
}

std::string NewIdempotencyKey() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", random());
  return key;
}

CliError ErrorOf(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  const auto text = [&](const char* name) {
    return body.is_object() && body.contains(name) && body[name].is_string() ? body[name].get<std::string>()
                                                                             : std::string();
  };
  std::string message =
      text("error").empty() ? fmt::format("the server said {}", reply.status) : text("error");
  if (!text("hint").empty()) message += " (" + text("hint") + ")";
  switch (reply.status) {
    case 404:
      return {ExitCode::kNotFound, message};
    case 412:
      return {ExitCode::kPrecondition, text("error") + CurrentText(body)};
    case 503:
      return {ExitCode::kUnavailable, message};
    case 502:
    case 504:
      return {ExitCode::kUnknown, message};
    case 401:
      return {ExitCode::kFailed, message + "; give --token or QUORATE_TOKEN"};
    default:
      return {ExitCode::kFailed, message};
  }
}

}  // namespace quorate::cli

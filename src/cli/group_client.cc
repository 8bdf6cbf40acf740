#include "cli/group_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <optional>
#include <random>
#include <thread>

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration kBackoffFirst = std::chrono::milliseconds(50);
constexpr Duration kBackoffMax = std::chrono::seconds(1);
constexpr Duration kAskMax = std::chrono::seconds(2);  // for the group's time, which a replica knows itself
constexpr Duration kUnreachableMax = std::chrono::seconds(3);  // a restarting replica listens again within it

constexpr long kInsufficientStorage = 507;

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

HttpCall CallOf(const GroupRequest& request, const CallPolicy& policy) {
  HttpCall call{
      .method = request.method, .body = request.body, .headers = request.headers, .ca_file = policy.ca_file};
  if (!request.body.empty() || request.open_body)
    call.headers.emplace_back("Content-Type", request.content_type);
  if (!policy.token.empty()) call.headers.emplace_back("X-API-Key", policy.token);
  return call;
}

// The server said that it will never be able to tell.
bool IsUnknownForGood(const HttpReply& reply) {
  if (reply.fate != HttpReply::Fate::kAnswered || reply.status != 504) return false;
  const json body = json::parse(reply.body, nullptr, false);
  return body.is_object() && body.contains("retryable") && body["retryable"] == false;
}

// One request through all its attempts.
class Attempts {
 public:
  Attempts(const CallPolicy& policy, const GroupRequest& request)
      : policy_(policy),
        writes_(request.method != "GET"),
        path_(request.path),
        open_body_(request.open_body),
        call_(CallOf(request, policy)) {}

  // The reply, if it is one for good.
  std::optional<HttpReply> At(const std::string& url, Duration left) {
    call_.timeout = policy_.attempt_may_outlast ? policy_.attempt : std::min(policy_.attempt, left);
    if (writes_ && key_.empty() && !MakeKey(url, std::min(left, kAskMax))) return std::nullopt;
    HttpCall call = call_;
    call.url = url + path_;
    if (open_body_) call.read_body = open_body_();
    if (writes_) call.headers.emplace_back("Idempotency-Key", key_);
    HttpReply reply = Send(call);
    Note(url, reply);
    if (IsUnknownForGood(reply)) {
      if (may_be_applied_ || redated_) return reply;
      // Nothing was sent before, so this key was too old from the start: the group was idle for long.
      redated_ = true;
      key_.clear();
      return std::nullopt;
    }
    if (reply.fate == HttpReply::Fate::kAnswered && reply.status == kInsufficientStorage) {
      full_ = std::move(reply);
      return std::nullopt;
    }
    if (IsDefinite(reply)) return reply;
    may_be_applied_ |= writes_ && MayBeApplied(reply);
    return std::nullopt;
  }

  // From a replica whose disk is nearly full: it counts when no other takes the request.
  const std::optional<HttpReply>& full() const { return full_; }
  bool writes() const { return writes_; }
  bool may_be_applied() const { return may_be_applied_; }
  bool anybody_there() const { return anybody_there_; }
  const std::string& why() const { return why_; }

 private:
  void Note(const std::string& url, const HttpReply& reply) {
    anybody_there_ |= reply.fate != HttpReply::Fate::kNotSent;
    why_ = Why(url, reply);
  }
  // Dated by what the replica at `url` says the group's time is; a server that does not say gets one without.
  bool MakeKey(const std::string& url, Duration timeout) {
    HttpCall ask{.url = url + "/api/v1/group", .timeout = timeout, .ca_file = policy_.ca_file};
    if (!policy_.token.empty()) ask.headers.emplace_back("X-API-Key", policy_.token);
    const HttpReply reply = Send(ask);
    Note(url, reply);
    if (reply.fate != HttpReply::Fate::kAnswered || reply.status / 100 == 5) return false;
    const json status = json::parse(reply.body, nullptr, false);
    const bool told = status.is_object() && status.contains("group_time_ms") &&
                      status["group_time_ms"].is_number_unsigned();
    key_ = told ? DatedIdempotencyKey(status["group_time_ms"].get<uint64_t>()) : NewIdempotencyKey();
    return true;
  }

  const CallPolicy& policy_;
  const bool writes_;
  const std::string path_;
  const std::function<BodyReader()> open_body_;
  HttpCall call_;
  std::string key_, why_ = "it has no HTTP door";
  std::optional<HttpReply> full_;
  bool may_be_applied_ = false, anybody_there_ = false, redated_ = false;
};

}  // namespace

GroupReply GroupClient::Call(const Group& group, const GroupRequest& request) const {
  Attempts attempts(policy_, request);
  const SteadyClock::time_point start = SteadyClock::now(), deadline = start + policy_.overall;
  for (Duration backoff = kBackoffFirst;; backoff = std::min(2 * backoff, kBackoffMax)) {
    for (const Replica& replica : group.replicas) {
      const Duration left = deadline - SteadyClock::now();
      if (replica.http.empty() || left <= Duration::zero()) continue;
      if (std::optional<HttpReply> reply = attempts.At(replica.http, left)) return *std::move(reply);
    }
    if (attempts.full() && !attempts.may_be_applied()) return *attempts.full();
    const SteadyClock::time_point give_up =
        attempts.anybody_there() ? deadline : std::min(deadline, start + kUnreachableMax);
    if (SteadyClock::now() + backoff >= give_up) break;
    std::this_thread::sleep_for(backoff);
  }
  if (attempts.may_be_applied()) {
    return CliError{ExitCode::kUnknown,
                    fmt::format("{}: the outcome is unknown ({}); look at the record, then decide",
                                group.Label(), attempts.why())};
  }
  return CliError{ExitCode::kUnavailable,
                  fmt::format("{} is unavailable{} ({}); it is safe to try again", group.Label(),
                              attempts.writes() ? ", nothing was changed" : "", attempts.why())};
}

std::string NewIdempotencyKey() {
  std::random_device random;
  std::string key;
  for (int i = 0; i < 4; ++i) key += fmt::format("{:08x}", random());
  return key;
}

std::string DatedIdempotencyKey(uint64_t group_time_ms) {
  return fmt::format("gt-{}-{}", group_time_ms, NewIdempotencyKey());
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

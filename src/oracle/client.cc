#include "oracle/client.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <utility>

#include "base/status_macros.h"
#include "oracle/http_post.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

// kUnavailable is worth another attempt: no connection, no answer, or an Oracle that is not ready.
absl::StatusOr<std::string> Ask(const std::string& url, const std::string& request) {
  ASSIGN_OR_RETURN(PostReply reply, Post({.url = url, .body = request, .token = "", .ca_file = ""}));
  if (reply.status == 200) return std::move(reply.body);
  const std::string why = fmt::format("{}: {}", url, PlainError(reply.body));
  if (reply.status >= 500 || reply.status == 425 || reply.status == 429) return absl::UnavailableError(why);
  return reply.status == 400 ? absl::InvalidArgumentError(why) : absl::FailedPreconditionError(why);
}

std::string RegisterBody(const JoinRequest& request) {
  const Addresses& a = request.addresses;
  return nlohmann::json{{"inst_id", request.inst_id},
                        {"region", request.region},
                        {"uuid", request.uuid},
                        {"incarnation", request.incarnation},
                        {"addresses", {{"peer", a.peer}, {"dns", a.dns}, {"http", a.http}, {"etcd", a.etcd}}}}
      .dump(-1, ' ', false, nlohmann::json::error_handler_t::replace);
}

}  // namespace

absl::StatusOr<Assignment> Join(const JoinRequest& request, Duration timeout, std::stop_token stop) {
  std::string base = request.oracle_url;
  while (base.ends_with('/')) base.pop_back();
  const std::string body = RegisterBody(request);
  Backoff backoff(std::chrono::steady_clock::now() + timeout, std::move(stop));
  // Registering is idempotent and its answer is that of get_env, so that asking is registering once, then
  // get_env; an Oracle that lost its state answers get_env with 404, and the replica registers again.
  for (bool registered = false;;) {
    absl::StatusOr<std::string> reply = Ask(base + (registered ? "/get_env" : "/register_replica"), body);
    std::string missing = "the Oracle is not ready: ";
    if (reply.ok()) {
      registered = true;
      ASSIGN_OR_RETURN(std::optional<Assignment> assignment, ParseEnv(*reply));
      if (assignment) return *std::move(assignment);
      missing = "the group is not complete yet: other replicas have to register at " + base;
    } else if (absl::IsUnavailable(reply.status())) {
      missing += MessageOf(reply.status());
    } else if (registered && absl::IsFailedPrecondition(reply.status())) {
      registered = false;
      missing += MessageOf(reply.status());
    } else {
      return reply.status();
    }
    RETURN_IF_ERROR(backoff.Pause(missing));
  }
}

}  // namespace quorate::oracle

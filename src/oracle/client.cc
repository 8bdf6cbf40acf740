#include "oracle/client.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <nlohmann/json.hpp>

#include "base/limits.h"
#include "base/status_macros.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

using Deadline = std::chrono::steady_clock::time_point;
using std::chrono::milliseconds;

constexpr milliseconds kFirstPause{50}, kLongestPause{1000};
constexpr long kConnectTimeoutMs = 2000, kRequestTimeoutMs = 5000;

size_t Collect(char* data, size_t size, size_t count, void* out) {
  auto& body = *static_cast<std::string*>(out);
  if (body.size() + size * count > limits::kOracleRequestBytesMax) return 0;
  body.append(data, size * count);
  return size * count;
}

// What an {"error","hint"} says; the beginning of anything else.
std::string PlainError(std::string_view body) {
  const auto json = nlohmann::json::parse(body, nullptr, false);
  if (!json.is_object() || !json.contains("error") || !json["error"].is_string()) {
    return std::string(body.substr(0, 200));
  }
  const std::string error = json["error"];
  return json.contains("hint") && json["hint"].is_string()
             ? fmt::format("{}: {}", error, json["hint"].get<std::string>())
             : error;
}

// One POST. kUnavailable is worth another attempt: no connection, no answer, or an Oracle that is not ready.
absl::StatusOr<std::string> Post(const std::string& url, const std::string& request) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(
      curl_slist_append(nullptr, "Content-Type: application/json"), curl_slist_free_all);
  if (!curl || !headers) return absl::ResourceExhaustedError("out of memory");
  std::string body;
  long status = 0;
  curl_easy_setopt(curl.get(), CURLOPT_URL, url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, request.data());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kRequestTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &body);
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return absl::InvalidArgumentError(fmt::format("`{}` is not an http://host:port URL", url));
  }
  if (code != CURLE_OK) return absl::UnavailableError(fmt::format("{}: {}", url, curl_easy_strerror(code)));
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &status);
  if (status == 200) return body;
  const std::string why = fmt::format("{}: {}", url, PlainError(body));
  if (status >= 500 || status == 425 || status == 429) return absl::UnavailableError(why);
  return status == 400 ? absl::InvalidArgumentError(why) : absl::FailedPreconditionError(why);
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

// Waits with growing pauses; a requested stop ends the wait at once.
class Backoff {
 public:
  Backoff(Deadline deadline, std::stop_token stop) : deadline_(deadline), stop_(std::move(stop)) {}

  // `missing` is what the caller waits for.
  absl::Status Pause(const std::string& missing) {
    std::unique_lock lock(mutex_);
    const auto until = std::min(deadline_, std::chrono::steady_clock::now() + pause_);
    woken_.wait_until(lock, stop_, until, [] { return false; });
    if (stop_.stop_requested()) return absl::CancelledError("stopped while " + missing);
    if (std::chrono::steady_clock::now() >= deadline_) {
      return absl::DeadlineExceededError("gave up after waiting: " + missing);
    }
    pause_ = std::min(2 * pause_, kLongestPause);
    return absl::OkStatus();
  }

 private:
  const Deadline deadline_;
  const std::stop_token stop_;
  milliseconds pause_ = kFirstPause;
  std::mutex mutex_;
  std::condition_variable_any woken_;
};

}  // namespace

absl::StatusOr<Assignment> Join(const JoinRequest& request, Duration timeout, std::stop_token stop) {
  std::string base = request.oracle_url;
  while (base.ends_with('/')) base.pop_back();
  const std::string body = RegisterBody(request);
  Backoff backoff(std::chrono::steady_clock::now() + timeout, std::move(stop));
  // Registering is idempotent and its answer is that of get_env, so that asking is registering once, then
  // get_env; an Oracle that lost its state answers get_env with 404, and the replica registers again.
  for (bool registered = false;;) {
    absl::StatusOr<std::string> reply = Post(base + (registered ? "/get_env" : "/register_replica"), body);
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

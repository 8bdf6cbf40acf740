#include "oracle/http_post.h"

#include <curl/curl.h>
#include <fmt/format.h>

#include <algorithm>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/limits.h"

namespace quorate::oracle {
namespace {

using std::chrono::milliseconds;

constexpr milliseconds kLongestPause{1000};
constexpr long kConnectTimeoutMs = 2000;
constexpr long kRequestTimeoutMs = 7000;  // longer than a group's door takes to say that it does not know

size_t Collect(char* data, size_t size, size_t count, void* out) {
  auto& body = *static_cast<std::string*>(out);
  if (body.size() + size * count > limits::kOracleRequestBytesMax) return 0;
  body.append(data, size * count);
  return size * count;
}

}  // namespace

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

absl::StatusOr<PostReply> Post(const PostCall& call) {
  const std::unique_ptr<CURL, decltype(&curl_easy_cleanup)> curl(curl_easy_init(), curl_easy_cleanup);
  curl_slist* list = curl_slist_append(nullptr, "Content-Type: application/json");
  if (!call.token.empty()) list = curl_slist_append(list, ("X-API-Key: " + call.token).c_str());
  const std::unique_ptr<curl_slist, decltype(&curl_slist_free_all)> headers(list, curl_slist_free_all);
  if (!curl || !headers) return absl::ResourceExhaustedError("out of memory");
  PostReply reply;
  curl_easy_setopt(curl.get(), CURLOPT_URL, call.url.c_str());
  curl_easy_setopt(curl.get(), CURLOPT_PROTOCOLS_STR, "http,https");
  curl_easy_setopt(curl.get(), CURLOPT_NOPROXY, "*");
  curl_easy_setopt(curl.get(), CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(curl.get(), CURLOPT_HTTPHEADER, headers.get());
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(call.body.size()));
  curl_easy_setopt(curl.get(), CURLOPT_POSTFIELDS, call.body.data());
  curl_easy_setopt(curl.get(), CURLOPT_CONNECTTIMEOUT_MS, kConnectTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_TIMEOUT_MS, kRequestTimeoutMs);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEFUNCTION, &Collect);
  curl_easy_setopt(curl.get(), CURLOPT_WRITEDATA, &reply.body);
  if (!call.ca_file.empty()) curl_easy_setopt(curl.get(), CURLOPT_CAINFO, call.ca_file.c_str());
  const CURLcode code = curl_easy_perform(curl.get());
  if (code == CURLE_URL_MALFORMAT || code == CURLE_UNSUPPORTED_PROTOCOL) {
    return absl::InvalidArgumentError(fmt::format("`{}` is not an http://host:port URL", call.url));
  }
  if (code != CURLE_OK) {
    return absl::UnavailableError(fmt::format("{}: {}", call.url, curl_easy_strerror(code)));
  }
  curl_easy_getinfo(curl.get(), CURLINFO_RESPONSE_CODE, &reply.status);
  return reply;
}

absl::Status Backoff::Pause(const std::string& missing) {
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

}  // namespace quorate::oracle

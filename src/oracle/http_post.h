// POST of JSON to whoever gives places (an Oracle, a group's HTTP door), and waiting between attempts.
#pragma once

#include <chrono>
#include <condition_variable>
#include <mutex>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quorate::oracle {

struct PostCall {
  std::string url;  // http:// or https://
  std::string body;
  std::string token;    // X-API-Key; empty: none
  std::string ca_file;  // PEM; empty: the system's
};
struct PostReply {
  long status = 0;
  std::string body;
};
// One attempt. Blocks for seconds at most. kUnavailable: no connection or no answer. kInvalidArgument: not a
// URL.
absl::StatusOr<PostReply> Post(const PostCall& call);

// What an {"error","hint"} says; the beginning of anything else.
std::string PlainError(std::string_view body);

// Waits with growing pauses; a requested stop ends the wait at once. One thread.
class Backoff {
 public:
  using Deadline = std::chrono::steady_clock::time_point;
  Backoff(Deadline deadline, std::stop_token stop) : deadline_(deadline), stop_(std::move(stop)) {}

  // `missing` is what the caller waits for. kCancelled: stopped. kDeadlineExceeded: it took too long.
  absl::Status Pause(const std::string& missing);

 private:
  const Deadline deadline_;
  const std::stop_token stop_;
  std::chrono::milliseconds pause_{50};
  std::mutex mutex_;
  std::condition_variable_any woken_;
};

}  // namespace quorate::oracle

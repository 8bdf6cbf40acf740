// Requests to a group: any of its replicas will do, a write takes effect once however often it is sent.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "cli/deployment.h"
#include "cli/error.h"
#include "cli/http_client.h"

namespace quorate::cli {

struct CallPolicy {
  Duration attempt = std::chrono::seconds(7);   // of one request; longer than the server's own write timeout
  Duration overall = std::chrono::seconds(15);  // with all retries
  bool attempt_may_outlast = false;             // `overall` only ends the retries, not an attempt under way
  std::string token;                            // X-API-Key
  std::string ca_file;
};

struct GroupRequest {
  std::string method = "GET";
  std::string path;  // "/api/v1/..."
  std::string body;
  // Instead of `body`: a body that is too large for memory, from its beginning for each attempt.
  std::function<BodyReader()> open_body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers;
};

// A definite answer of some replica, whatever its status; or kUnavailable (certainly not applied), kUnknown.
using GroupReply = CliResult<HttpReply>;

class GroupClient {
 public:
  explicit GroupClient(CallPolicy policy) : policy_(std::move(policy)) {}

  // Asks replica after replica until one answers for good (anything but 502, 503, 504), then all of them
  // again, until the policy's time is over. Everything that is not GET carries one dated Idempotency-Key
  // (docs/design/0002) through all attempts; the first replica that answers is asked for the group's time.
  GroupReply Call(const Group& group, const GroupRequest& request) const;

 private:
  CallPolicy policy_;
};

// 128 random bits in hex.
std::string NewIdempotencyKey();
// The same, with the group's time in it: never applied twice, however late it comes.
std::string DatedIdempotencyKey(uint64_t group_time_ms);

// What an answer that is not 2xx says: exit code and text, with the server's own "error" and "hint".
CliError ErrorOf(const HttpReply& reply);

}  // namespace quorate::cli

// An HTTP request and its reply as plain values: what handlers see. No Beast here.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"

namespace quorate::api {

// A body that is too large for memory: asked for one part after the other, each given later from any thread.
// An empty part is the end; after an error there is no more.
using GivePart = std::function<void(absl::StatusOr<std::string>)>;
using BodyParts = std::function<void(GivePart)>;

struct HttpRequest {
  std::string method;                          // "GET"
  std::string path;                            // as sent, without the query
  std::map<std::string, std::string> query;    // decoded; the last of a name wins
  std::map<std::string, std::string> headers;  // names in lower case; several of a name joined by ", "
  std::map<std::string, std::string> params;   // of the route's pattern, decoded
  std::string body;
  BodyParts parts = {};  // instead of `body`, where the listener was told so; any thread may ask
  std::string client;    // address of the peer, without port

  // Empty if there is none.
  std::string Header(const std::string& lower_case_name) const;
  std::string Query(const std::string& name) const;
};

struct HttpResponse {
  int status = 200;
  std::string body = {};
  std::string content_type = "application/json";
  std::vector<std::pair<std::string, std::string>> headers = {};
  // Instead of `body`. After an error the connection is cut, so that the client sees that it lacks the rest.
  BodyParts parts = {};
};

// Exactly once, from any thread.
using Respond = std::function<void(HttpResponse)>;
// Called on the listener's thread: must not block. Answers now or later.
using HttpHandler = std::function<void(HttpRequest, Respond)>;

// Undoes %XX; with `plus_is_space` also "+" (queries, not paths). nullopt: malformed.
std::optional<std::string> PercentDecode(std::string_view text, bool plus_is_space);
// Sets path and query of `request`. False: malformed.
bool ParseTarget(std::string_view target, HttpRequest& request);

}  // namespace quorate::api

// One HTTP request, by libcurl. Blocks.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/types.h"

namespace quorate::cli {

// The next part of a body; empty: that was all; nullopt: give up.
using BodyReader = std::function<std::optional<std::string>()>;

struct HttpCall {
  std::string method = "GET";
  std::string url;
  std::string body;
  BodyReader read_body = {};  // instead of `body`: one that is too large for memory
  std::vector<std::pair<std::string, std::string>> headers;
  Duration connect_timeout = std::chrono::seconds(2);
  Duration timeout = std::chrono::seconds(7);  // of all of it; longer than the server's own write timeout
  // Takes the body of a 200 part by part; reply.body stays empty then. False: give up. The call may then take
  // as long as it likes if `timeout` is 0, but not stand still for longer than 30 s.
  std::function<bool(std::string_view)> on_body;
  std::string ca_file;  // PEM; empty: the system's
};

struct HttpReply {
  enum class Fate : uint8_t {
    kAnswered,  // status, headers and body are the server's
    kNotSent,   // no connection: the server has not seen the request
    kLost,      // sent at least in part, and no answer: nobody knows
  };
  Fate fate = Fate::kNotSent;
  int status = 0;
  std::map<std::string, std::string> headers;  // names in lower case
  std::string body;
  std::string error;  // of what was not answered, for people

  std::string Header(const std::string& lower_case_name) const;
};

// Any thread.
HttpReply Send(const HttpCall& call);

// For a path segment or a query value.
std::string PercentEncode(std::string_view text);

}  // namespace quorate::cli

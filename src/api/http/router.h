// Which handler answers which method and path.
#pragma once

#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "api/http/message.h"

namespace quorate::api {

enum class Access : uint8_t { kOpen, kToken };  // whether a request needs a token where tokens are configured

struct Route {
  std::string method;
  std::string pattern;  // "/api/v1/servers/{server}/zones"; {name} matches one segment that is not empty
  HttpHandler handler;
  Access access = Access::kToken;
  size_t body_bytes_max = 0;   // 0: the listener's default
  bool body_in_parts = false;  // the handler asks for the body (HttpRequest::parts)
  bool writes = false;         // its replies say what became of the write (errors.h, WithOutcome)
};

// Fill it, then only read: then any thread.
class Router {
 public:
  void Add(Route route);

  struct Match {
    const Route* route;
    std::map<std::string, std::string> params;
  };
  struct NoSuchPath {};
  struct NoSuchMethod {
    std::string allow;  // "GET, PATCH"
  };
  // HEAD goes to GET's route. A trailing slash does not matter.
  std::variant<Match, NoSuchPath, NoSuchMethod> Find(std::string_view method, std::string_view path) const;

 private:
  struct Entry {
    Route route;
    std::vector<std::string> segments;
  };
  std::vector<Entry> entries_;
};

}  // namespace quorate::api

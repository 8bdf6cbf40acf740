#include "api/http/router.h"

namespace quorate::api {
namespace {

std::vector<std::string> Segments(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);
    const size_t end = std::min(path.find('/'), path.size());
    out.emplace_back(path.substr(0, end));
    path.remove_prefix(end);
  }
  if (!out.empty() && out.back().empty()) out.pop_back();
  return out;
}

bool IsParameter(const std::string& segment) { return segment.starts_with('{'); }

std::optional<std::map<std::string, std::string>> MatchSegments(const std::vector<std::string>& pattern,
                                                                const std::vector<std::string>& path) {
  if (pattern.size() != path.size()) return std::nullopt;
  std::map<std::string, std::string> params;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (!IsParameter(pattern[i])) {
      if (pattern[i] != path[i]) return std::nullopt;
      continue;
    }
    auto value = PercentDecode(path[i], false);
    if (!value || value->empty()) return std::nullopt;
    params[pattern[i].substr(1, pattern[i].size() - 2)] = *std::move(value);
  }
  return params;
}

}  // namespace

void Router::Add(Route route) {
  std::vector<std::string> segments = Segments(route.pattern);
  entries_.push_back({std::move(route), std::move(segments)});
}

std::variant<Router::Match, Router::NoSuchPath, Router::NoSuchMethod> Router::Find(
    std::string_view method, std::string_view path) const {
  const std::string wanted(method == "HEAD" ? "GET" : method);
  const std::vector<std::string> segments = Segments(path);
  std::string allow;
  for (const Entry& entry : entries_) {
    auto params = MatchSegments(entry.segments, segments);
    if (!params) continue;
    if (entry.route.method == wanted) return Match{&entry.route, *std::move(params)};
    allow += (allow.empty() ? "" : ", ") + entry.route.method;
  }
  if (allow.empty()) return NoSuchPath{};
  return NoSuchMethod{std::move(allow)};
}

}  // namespace quorate::api

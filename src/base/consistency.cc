#include "base/consistency.h"

#include <charconv>

namespace quorate {

const Consistency& Strictest(const Consistency& a, const Consistency& b) {
  if (a.kind != b.kind) return a.kind < b.kind ? a : b;
  return a.bound <= b.bound ? a : b;
}

std::optional<Consistency> ParseConsistency(std::string_view text) {
  using Kind = Consistency::Kind;
  if (text == "linearizable") return Consistency{};
  if (text == "local") return Consistency{.kind = Kind::kLocal};
  constexpr std::string_view kPrefix = "bounded=";
  if (!text.starts_with(kPrefix) || !text.ends_with('s')) return std::nullopt;
  text.remove_prefix(kPrefix.size());
  text.remove_suffix(1);
  int64_t seconds = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), seconds);
  if (error != std::errc() || end != text.data() + text.size() || seconds < 1) return std::nullopt;
  if (seconds > std::chrono::duration_cast<std::chrono::seconds>(kConsistencyBoundMax).count())
    return std::nullopt;
  return Consistency{.kind = Kind::kBounded, .bound = std::chrono::seconds(seconds)};
}

std::string ToText(const Consistency& consistency) {
  switch (consistency.kind) {
    case Consistency::Kind::kLinearizable:
      return "linearizable";
    case Consistency::Kind::kLocal:
      return "local";
    case Consistency::Kind::kBounded:
      break;
  }
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(consistency.bound).count();
  return "bounded=" + std::to_string(seconds) + "s";
}

}  // namespace quorate

#include "oracle/names.h"

#include <algorithm>
#include <charconv>
#include <cstdint>

namespace quorate::oracle {
namespace {

bool IsAlphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

char Lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

bool IsLabel(std::string_view label) {
  return !label.empty() && label.size() <= 63 &&
         std::ranges::all_of(label, [](char c) { return IsAlphanumeric(c) || c == '-' || c == '_'; });
}

}  // namespace

bool IsPlainName(std::string_view name) {
  return !name.empty() && name.size() <= 64 && std::ranges::all_of(name, [](char c) {
    return IsAlphanumeric(c) || c == '-' || c == '_' || c == '.';
  });
}

bool IsAddress(std::string_view address) {
  const size_t colon = address.rfind(':');
  if (colon == std::string_view::npos || colon == 0 || address.size() > 300) return false;
  const std::string_view host = address.substr(0, colon);
  const bool bracketed = host.front() == '[' && host.back() == ']' && host.size() > 2;
  if (!bracketed && host.find(':') != std::string_view::npos) return false;
  const std::string_view digits = address.substr(colon + 1);
  uint16_t port = 0;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), port);
  return error == std::errc() && end == digits.data() + digits.size() && port != 0;
}

std::optional<std::string> CanonicalZone(std::string_view zone) {
  if (zone == ".") return std::string(zone);
  if (zone.ends_with('.')) zone.remove_suffix(1);
  // In wire form each label takes an octet more, and the root one.
  if (zone.size() + 2 > 255) return std::nullopt;
  std::string canonical;
  for (size_t start = 0; start <= zone.size();) {
    const size_t end = std::min(zone.find('.', start), zone.size());
    const std::string_view label = zone.substr(start, end - start);
    if (!IsLabel(label)) return std::nullopt;
    std::ranges::transform(label, std::back_inserter(canonical), Lower);
    canonical += '.';
    start = end + 1;
  }
  return canonical;
}

}  // namespace quorate::oracle

#include "dns/generate.h"

#include <charconv>

#include "base/limits.h"
#include "base/result.h"

namespace quorate::dns {
namespace {

constexpr int64_t kNumberMax = 0x7fffffff;
constexpr int64_t kWidthMax = 63;  // of a label, or of the digits and dots of one

struct Fault {
  std::string what;
};

struct Range {
  int64_t start = 0, stop = 0, step = 1;
};

// Takes a number off the front of `text`. nullopt: there is none, or one that is too large.
std::optional<int64_t> TakeNumber(std::string_view& text) {
  int64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || value > kNumberMax || value < -kNumberMax) return std::nullopt;
  text.remove_prefix(static_cast<size_t>(end - text.data()));
  return value;
}

bool Take(std::string_view& text, char c) {
  if (!text.starts_with(c)) return false;
  text.remove_prefix(1);
  return true;
}

std::optional<Range> ParseRange(std::string_view text) {
  Range range;
  const auto start = text.starts_with('-') ? std::nullopt : TakeNumber(text);
  if (!start || !Take(text, '-') || text.starts_with('-')) return std::nullopt;
  const auto stop = TakeNumber(text);
  if (!stop) return std::nullopt;
  if (Take(text, '/')) {
    const auto step = TakeNumber(text);
    if (!step) return std::nullopt;
    range.step = *step;
  }
  range.start = *start;
  range.stop = *stop;
  if (!text.empty() || range.stop < range.start || range.step < 1) return std::nullopt;
  return range;
}

std::string Padded(std::string digits, int64_t width) {
  const bool negative = digits.starts_with('-');
  const auto missing = width - static_cast<int64_t>(digits.size());
  if (missing > 0) digits.insert(negative ? 1 : 0, static_cast<size_t>(missing), '0');
  return digits;
}

// Hexadecimal digits, the lowest first, a label each: as ip6.arpa has them. The width counts the dots too.
std::string Nibbles(uint64_t value, int64_t width, bool upper) {
  const char* const digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
  std::string out;
  do {
    if (!out.empty()) out += '.';
    out += digits[value & 15];
    value >>= 4;
  } while (value != 0 || static_cast<int64_t>(out.size()) + 1 < width);
  return out;
}

std::optional<std::string> Printed(int64_t value, int64_t width, char base) {
  if (base == 'd') return Padded(std::to_string(value), width);
  if (value < 0) return std::nullopt;
  if (base == 'n' || base == 'N') return Nibbles(static_cast<uint64_t>(value), width, base == 'N');
  char digits[32];
  const auto [end, error] = std::to_chars(digits, digits + sizeof digits, value, base == 'o' ? 8 : 16);
  if (error != std::errc()) return std::nullopt;
  std::string out(digits, end);
  if (base == 'X') {
    for (char& c : out) c = c >= 'a' && c <= 'f' ? static_cast<char>(c - 0x20) : c;
  }
  return Padded(std::move(out), width);
}

// What stands between `{` and `}`: "offset[,width[,base]]".
std::optional<std::string> Modified(std::string_view text, int64_t number) {
  int64_t width = 0;
  char base = 'd';
  const auto offset = TakeNumber(text);
  if (!offset) return std::nullopt;
  if (Take(text, ',')) {
    const auto given = TakeNumber(text);
    if (!given || *given < 0 || *given > kWidthMax) return std::nullopt;
    width = *given;
    if (Take(text, ',')) {
      if (text.size() != 1 || std::string_view("doxXnN").find(text[0]) == std::string_view::npos)
        return std::nullopt;
      base = text[0];
      text.remove_prefix(1);
    }
  }
  if (!text.empty()) return std::nullopt;
  return Printed(number + *offset, width, base);
}

Result<std::string, Fault> Substitute(std::string_view pattern, int64_t number) {
  std::string out;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] == '\\' && i + 1 < pattern.size()) {
      const bool dollar = pattern[i + 1] == '$';
      if (!dollar) out += pattern[i];
      out += pattern[++i];
    } else if (pattern[i] != '$') {
      out += pattern[i];
    } else if (i + 1 < pattern.size() && pattern[i + 1] == '{') {
      const size_t end = pattern.find('}', i);
      if (end == pattern.npos) return Fault{"a `${` without its `}`"};
      const std::string_view inside = pattern.substr(i + 2, end - i - 2);
      const auto text = Modified(inside, number);
      if (!text) {
        return Fault{"`${" + std::string(inside) +
                     "}` is not ${offset,width,base} with a base of d, o, x, X, n or N, or its number is "
                     "negative there"};
      }
      out += *text;
      i = end;
    } else {
      out += std::to_string(number);
    }
  }
  return out;
}

}  // namespace

std::optional<std::string> Generate(std::string_view range_text, std::string_view pattern,
                                    const std::function<bool(const std::string&)>& line) {
  const auto range = ParseRange(range_text);
  if (!range) {
    return "the range `" + std::string(range_text.substr(0, 80)) +
           "` is not start-stop or start-stop/step, from low to high";
  }
  const auto lines = static_cast<uint64_t>((range->stop - range->start) / range->step) + 1;
  if (lines > limits::kGenerateMax) {
    return "the range stands for " + std::to_string(lines) + " records; " +
           std::to_string(limits::kGenerateMax) + " is the most for one $GENERATE";
  }
  for (int64_t number = range->start; number <= range->stop; number += range->step) {
    const auto text = Substitute(pattern, number);
    if (!text.ok()) return text.error().what;
    if (!line(*text)) break;
  }
  return std::nullopt;
}

}  // namespace quorate::dns

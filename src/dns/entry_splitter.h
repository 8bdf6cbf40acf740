// Zone text that comes in parts, cut where an entry ends (RFC 1035 5.1): at a line's end outside of
// parentheses and quotes. Pure; no thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace quorate::dns {

class EntrySplitter {
 public:
  // Calls entry(text, first_line) for each entry that is whole now; `text` ends with its newline. False: one
  // call returned false, and the rest of `part` was not looked at.
  template <class F>
  bool Push(std::string_view part, F&& entry);
  // The entry that no newline ended, if there is one.
  template <class F>
  bool Finish(F&& entry);

  size_t kept_bytes() const { return kept_.size(); }  // of the entry that has begun
  uint64_t line() const { return first_line_; }       // on which it began

 private:
  // Whether `c` is the newline that ends the entry.
  bool Ends(char c);

  std::string kept_;
  uint64_t line_ = 1, first_line_ = 1;
  int depth_ = 0;
  bool quoted_ = false, comment_ = false, escaped_ = false;
};

// The words of an entry without comments and parentheses; quotes stay on quoted ones.
struct EntryWord {
  std::string_view text;
  size_t at = 0;  // in the entry
};
std::vector<EntryWord> WordsOf(std::string_view entry);
// Without quotes and escapes (\X, \DDD).
std::string Unescaped(std::string_view word);

inline bool EntrySplitter::Ends(char c) {
  if (c == '\n') {
    ++line_;
    comment_ = escaped_ = false;
    if (depth_ > 0) return false;
    quoted_ = false;
    return true;
  }
  if (comment_) return false;
  if (escaped_) {
    escaped_ = false;
  } else if (c == '\\') {
    escaped_ = true;
  } else if (c == '"') {
    quoted_ = !quoted_;
  } else if (!quoted_) {
    if (c == ';') comment_ = true;
    if (c == '(') ++depth_;
    if (c == ')' && depth_ > 0) --depth_;
  }
  return false;
}

template <class F>
bool EntrySplitter::Push(std::string_view part, F&& entry) {
  size_t begin = 0;
  for (size_t i = 0; i < part.size(); ++i) {
    if (!Ends(part[i])) continue;
    std::string_view text = part.substr(begin, i + 1 - begin);
    begin = i + 1;
    const bool was_kept = !kept_.empty();
    if (was_kept) text = kept_ += text;
    const bool go_on = entry(text, first_line_);
    if (was_kept) kept_.clear();
    first_line_ = line_;
    if (!go_on) return false;
  }
  kept_ += part.substr(begin);
  return true;
}

template <class F>
bool EntrySplitter::Finish(F&& entry) {
  if (kept_.empty()) return true;
  const std::string last = std::move(kept_) + "\n";
  kept_.clear();
  return entry(std::string_view(last), first_line_);
}

}  // namespace quorate::dns

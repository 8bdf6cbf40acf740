#include "dns/entry_splitter.h"

#include <algorithm>

namespace quorate::dns {
namespace {

bool IsBlank(char c) { return c == ' ' || c == '\t' || c == '\r' || c == '\n'; }
bool IsDigit(char c) { return c >= '0' && c <= '9'; }

}  // namespace

std::vector<EntryWord> WordsOf(std::string_view entry) {
  std::vector<EntryWord> words;
  for (size_t i = 0; i < entry.size();) {
    const char c = entry[i];
    if (c == ';') {
      while (i < entry.size() && entry[i] != '\n') ++i;
    } else if (IsBlank(c) || c == '(' || c == ')') {
      ++i;
    } else {
      const size_t begin = i;
      bool quoted = false;
      for (; i < entry.size(); ++i) {
        if (entry[i] == '\\') {
          ++i;
        } else if (entry[i] == '"') {
          quoted = !quoted;
        } else if (!quoted && (IsBlank(entry[i]) || entry[i] == ';' || entry[i] == '(' || entry[i] == ')')) {
          break;
        }
      }
      i = std::min(i, entry.size());
      words.push_back({entry.substr(begin, i - begin), begin});
    }
  }
  return words;
}

std::string Unescaped(std::string_view word) {
  if (word.size() >= 2 && word.front() == '"' && word.back() == '"') word = word.substr(1, word.size() - 2);
  std::string out;
  for (size_t i = 0; i < word.size(); ++i) {
    if (word[i] != '\\' || i + 1 == word.size()) {
      out += word[i];
    } else if (i + 3 < word.size() && IsDigit(word[i + 1]) && IsDigit(word[i + 2]) && IsDigit(word[i + 3])) {
      out += static_cast<char>((word[i + 1] - '0') * 100 + (word[i + 2] - '0') * 10 + (word[i + 3] - '0'));
      i += 3;
    } else {
      out += word[++i];
    }
  }
  return out;
}

}  // namespace quorate::dns

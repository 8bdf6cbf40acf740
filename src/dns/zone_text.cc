#include "dns/zone_text.h"

#include <algorithm>

#include "base/limits.h"
#include "dns/entry_scanner.h"
#include "dns/entry_splitter.h"
#include "dns/generate.h"
#include "dns/rdata.h"

namespace quorate::dns {
namespace {

constexpr size_t kStringMax = 255;  // RFC 1035 3.3: one length octet

bool IsBlankOrComment(std::string_view entry) {
  const size_t first = entry.find_first_not_of(" \t\r\n");
  return first == entry.npos || (entry[first] == ';' && entry.find('\n') + 1 == entry.size());
}

bool SameWord(std::string_view a, std::string_view b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(),
                    [](char x, char y) { return FoldCase(x) == FoldCase(y); });
}

// libzscanner cuts a long text string into several: then one of them is as long as strings can be.
bool MayHaveBeenCut(const TextRecord& record) {
  const RdataShape* shape = ShapeOf(record.type);
  if (shape == nullptr || shape->fields.find('S') == std::string_view::npos) return false;
  return record.rdata.size() > kStringMax &&
         record.rdata.find(static_cast<char>(kStringMax)) != std::string::npos;
}

std::optional<TextError> LongString(std::string_view entry) {
  const auto words = WordsOf(entry);
  const bool generic =
      std::any_of(words.begin(), words.end(), [](const EntryWord& word) { return word.text == "\\#"; });
  if (generic) return std::nullopt;
  for (const EntryWord& word : words) {
    const size_t size = Unescaped(word.text).size();
    if (size <= kStringMax) continue;
    const std::string_view before = entry.substr(0, word.at);
    return TextError{.line = 1 + static_cast<uint64_t>(std::count(before.begin(), before.end(), '\n')),
                     .column = before.size() - (before.rfind('\n') + 1) + 1,  // npos + 1 is 0
                     .what = "a text string of " + std::to_string(size) +
                             " octets: 255 is the most (RFC 1035 3.3); write " + "it as several"};
  }
  return std::nullopt;
}

}  // namespace

class ZoneTextParser::Impl {
 public:
  Impl(ZoneTextOptions options, OnRecord on_record, OnError on_error)
      : options_(std::move(options)), on_record_(std::move(on_record)), on_error_(std::move(on_error)) {
    texts_.push_back(std::make_unique<Text>(options_.name, options_.origin, options_.default_ttl));
  }

  bool Feed(std::string_view part) {
    Text& text = *texts_.back();
    stopped_ = stopped_ || !text.splitter.Push(part, [&](std::string_view entry, uint64_t line) {
      return TakeEntry(text, entry, line);
    });
    if (!stopped_ && text.splitter.kept_bytes() > limits::kZoneEntryBytesMax) {
      Stop(text, text.splitter.line(), "this record is longer than 1 MiB: is a parenthesis not closed?");
    }
    return !stopped_;
  }

  bool Finish() {
    Text& text = *texts_.back();
    stopped_ = stopped_ || !text.splitter.Finish([&](std::string_view entry, uint64_t line) {
      return TakeEntry(text, entry, line);
    });
    return !stopped_;
  }

 private:
  // The text, or one that is included.
  struct Text {
    Text(std::string n, const Name& origin, uint32_t ttl) : name(std::move(n)), scanner(origin, ttl) {}
    const std::string name;
    EntrySplitter splitter;
    EntryScanner scanner;
    bool has_ttl_directive = false;
  };

  bool Report(const Text& text, uint64_t entry_line, TextError error) {
    error.file = text.name;
    error.line += entry_line - 1;
    return on_error_(std::move(error)) || Stopped();
  }
  bool Stopped() {
    stopped_ = true;
    return false;
  }
  void Stop(const Text& text, uint64_t line, std::string what) {
    Report(text, line, {.what = std::move(what)});
    stopped_ = true;
  }

  // Whether to go on.
  bool TakeEntry(Text& text, std::string_view entry, uint64_t line) {
    if (entry.size() > limits::kZoneEntryBytesMax)
      return Report(text, line, {.what = "this record is longer than 1 MiB"});
    if (IsBlankOrComment(entry)) return true;
    if (entry.front() == '$') return TakeDirective(text, entry, line);
    return TakeRecord(text, entry, line);
  }

  bool TakeRecord(Text& text, std::string_view entry, uint64_t line) {
    auto error = Scan(text, entry, line);
    return !error || Report(text, line, *std::move(error));
  }

  std::optional<TextError> Scan(Text& text, std::string_view entry, uint64_t line) {
    std::optional<TextError> long_string;
    auto error = text.scanner.Scan(entry, [&](TextRecord&& record) -> std::string {
      if (!text.has_ttl_directive) text.scanner.SetDefaultTtl(record.ttl);
      if (!options_.split_long_strings && MayHaveBeenCut(record)) long_string = LongString(entry);
      if (long_string) return {};
      record.line = line;
      record.file = text.name;
      return on_record_(std::move(record));
    });
    return error ? error : long_string;
  }

  bool TakeDirective(Text& text, std::string_view entry, uint64_t line) {
    const auto words = WordsOf(entry);
    const std::string_view directive = words.front().text;
    std::optional<std::string> fault;
    if (SameWord(directive, "$ORIGIN")) {
      fault = words.size() == 2 ? SetOrigin(text, words[1].text) : "$ORIGIN takes one name";
    } else if (SameWord(directive, "$INCLUDE")) {
      fault = Include(text, words);
    } else if (SameWord(directive, "$GENERATE")) {
      fault = Expand(text, words, line);
    } else {
      text.has_ttl_directive |= SameWord(directive, "$TTL");
      return TakeRecordless(text, entry, line);
    }
    if (stopped_) return false;
    return !fault || Report(text, line, {.what = *std::move(fault)});
  }

  bool TakeRecordless(Text& text, std::string_view entry, uint64_t line) {
    auto error = text.scanner.Scan(entry, [](TextRecord&&) { return std::string("not a directive"); });
    return !error || Report(text, line, *std::move(error));
  }

  std::optional<std::string> SetOrigin(Text& text, std::string_view word) {
    const auto origin = Name::FromText(word, text.scanner.origin());
    if (!origin.ok()) return "the origin `" + std::string(word) + "`: " + origin.error();
    text.scanner.SetOrigin(*origin);
    return std::nullopt;
  }

  std::optional<std::string> Include(Text& text, const std::vector<EntryWord>& words) {
    if (!options_.include) return "$INCLUDE refused: put the included records into this text";
    if (words.size() < 2 || words.size() > 3) return "$INCLUDE takes a file name, and maybe an origin";
    if (texts_.size() > limits::kIncludeDepthMax)
      return "$INCLUDE is nested more than " + std::to_string(limits::kIncludeDepthMax) + " deep";
    if (++includes_ > limits::kIncludesMax)
      return "more than " + std::to_string(limits::kIncludesMax) + " files are included";
    Name origin = text.scanner.origin();
    if (words.size() == 3) {
      auto given = Name::FromText(words[2].text, origin);
      if (!given.ok()) return "the origin `" + std::string(words[2].text) + "`: " + given.error();
      origin = *std::move(given);
    }
    auto source = options_.include(Unescaped(words[1].text), text.name);
    if (!source.ok()) return source.error().what;
    return ReadIncluded(text, *source, origin);
  }

  // The including text's own scanner waits, and with it origin, owner and TTL.
  std::optional<std::string> ReadIncluded(const Text& from, const ZoneTextSource& source,
                                          const Name& origin) {
    texts_.push_back(std::make_unique<Text>(source.name, origin, from.scanner.default_ttl()));
    texts_.back()->has_ttl_directive = from.has_ttl_directive;
    std::optional<std::string> fault;
    while (!stopped_) {
      const auto part = source.read();
      if (!part.ok()) fault = part.error().what;
      if (!part.ok() || part->empty()) break;
      Feed(*part);
    }
    if (!stopped_ && !fault) Finish();
    texts_.pop_back();
    return fault;
  }

  std::optional<std::string> Expand(Text& text, const std::vector<EntryWord>& words, uint64_t line) {
    if (words.size() < 4) return "$GENERATE takes a range, an owner, a type and data";
    std::string pattern;
    for (size_t i = 2; i < words.size(); ++i) pattern += (i > 2 ? " " : "") + std::string(words[i].text);
    bool too_many = false;
    auto fault = Generate(words[1].text, pattern, [&](const std::string& made) {
      too_many = ++generated_ > limits::kGeneratedMax;
      return !too_many && TakeGenerated(text, made, line);
    });
    if (too_many) return "all $GENERATE together stand for more than 1000000 records";
    return fault;
  }

  // The first fault of a $GENERATE is enough: the others are the same.
  bool TakeGenerated(Text& text, const std::string& made, uint64_t line) {
    const auto error = Scan(text, made + "\n", line);
    if (!error) return true;
    Report(text, line, {.what = error->what + " (of $GENERATE: " + made.substr(0, 200) + ")"});
    return false;
  }

  const ZoneTextOptions options_;
  const OnRecord on_record_;
  const OnError on_error_;
  std::vector<std::unique_ptr<Text>> texts_;  // the last is being read
  size_t includes_ = 0, generated_ = 0;
  bool stopped_ = false;
};

ZoneTextParser::ZoneTextParser(ZoneTextOptions options, OnRecord on_record, OnError on_error)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(on_record), std::move(on_error))) {}
ZoneTextParser::~ZoneTextParser() = default;

bool ZoneTextParser::Feed(std::string_view part) { return impl_->Feed(part); }
bool ZoneTextParser::Finish() { return impl_->Finish(); }

}  // namespace quorate::dns

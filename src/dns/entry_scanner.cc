#include "dns/entry_scanner.h"

extern "C" {
#include <libzscanner/scanner.h>
}

#include <algorithm>
#include <cstdlib>
#include <cstring>

#include "base/check.h"

namespace quorate::dns {
namespace {

struct ScannerDeleter {
  void operator()(zs_scanner_t* scanner) const {
    zs_deinit(scanner);
    std::free(scanner);
  }
};
using Scanner = std::unique_ptr<zs_scanner_t, ScannerDeleter>;

Scanner OpenScanner(uint32_t default_ttl) {
  auto* raw = static_cast<zs_scanner_t*>(std::malloc(sizeof(zs_scanner_t)));
  CHECK(raw != nullptr);
  CHECK_EQ(zs_init(raw, ".", static_cast<uint16_t>(RRClass::kIN), default_ttl), 0);
  return Scanner(raw);
}

struct Line {
  uint64_t number;
  std::string_view text;
};
// The line with this number, or the last one where there are fewer.
Line FindLine(std::string_view text, uint64_t number) {
  uint64_t at = 1;
  size_t begin = 0;
  while (at < number) {
    const size_t newline = text.find('\n', begin);
    if (newline == std::string_view::npos || newline + 1 >= text.size()) break;
    begin = newline + 1;
    ++at;
  }
  return {at, text.substr(begin, text.find('\n', begin) - begin)};
}

bool EndsToken(char c) { return std::string_view(" \t\r();").find(c) != std::string_view::npos; }

std::string Reason(int code, std::string_view token) {
  for (const std::string_view other : {"CH", "CS", "HS", "ANY", "NONE"}) {
    const bool same = std::equal(token.begin(), token.end(), other.begin(), other.end(),
                                 [](char a, char b) { return (a & ~0x20) == b; });
    if (code == ZS_UNSUPPORTED_TYPE && same)
      return "class " + std::string(token) + " is not served: only IN is";
  }
  std::string what = zs_strerror(code);
  if (!token.empty()) what += ": \"" + std::string(token.substr(0, 80)) + "\"";
  return what;
}

// libzscanner says the line, and keeps what it had not read of it. The offending token is the one that ends
// there, or that is cut in two there.
TextError ErrorAt(const zs_scanner_t& scanner, std::string_view text) {
  const auto [number, line] = FindLine(text, scanner.line_counter);
  TextError error{.line = number, .column = 1, .what = zs_strerror(scanner.error.code)};
  if (scanner.error.code == ZS_BAD_PREVIOUS_OWNER) return error;
  const std::string_view unread(reinterpret_cast<const char*>(scanner.buffer));
  size_t begin =
      unread.size() <= line.size() && line.ends_with(unread) ? line.size() - unread.size() : line.size();
  if (begin == line.size() || EndsToken(line[begin])) {
    while (begin > 0 && EndsToken(line[begin - 1])) --begin;
  }
  while (begin > 0 && !EndsToken(line[begin - 1])) --begin;
  size_t end = begin;
  while (end < line.size() && !EndsToken(line[end])) ++end;
  error.column = begin + 1;
  error.what = Reason(scanner.error.code, line.substr(begin, end - begin));
  return error;
}

// RFC 2181 8: a TTL with its highest bit set is 0.
uint32_t TtlOf(uint32_t ttl) { return ttl < 0x80000000u ? ttl : 0; }

TextRecord RecordOf(const zs_scanner_t& s) {
  return {.owner = Name::FromView({reinterpret_cast<const char*>(s.r_owner), s.r_owner_length}),
          .type = static_cast<RRType>(s.r_type),
          .rr_class = static_cast<RRClass>(s.r_class),
          .ttl = TtlOf(s.r_ttl),
          .rdata = std::string(reinterpret_cast<const char*>(s.r_data), s.r_data_length),
          .line = 1};
}

// What libzscanner lets through and no zone can hold.
std::string WhyNotARecord(const TextRecord& record) {
  if (IsMetaType(record.type)) return TypeToText(record.type) + " is a query or meta type: it has no records";
  if (!IsValidRdata(record.type, record.rdata)) {
    return "rdata is not valid for type " + TypeToText(record.type);
  }
  return {};
}

// libzscanner takes a carriage return for an error.
std::string WithoutCarriageReturns(std::string_view entry) {
  std::string out;
  for (size_t i = 0; i < entry.size(); ++i) {
    if (entry[i] != '\r' || i + 1 == entry.size() || entry[i + 1] != '\n') out += entry[i];
  }
  return out;
}

}  // namespace

struct EntryScanner::Impl {
  Scanner scanner;
};

EntryScanner::EntryScanner(const Name& origin, uint32_t default_ttl)
    : impl_(std::make_unique<Impl>(Impl{OpenScanner(default_ttl)})) {
  SetOrigin(origin);
}

EntryScanner::~EntryScanner() = default;

Name EntryScanner::origin() const {
  const zs_scanner_t& s = *impl_->scanner;
  return Name::FromView({reinterpret_cast<const char*>(s.zone_origin), s.zone_origin_length});
}

void EntryScanner::SetOrigin(const Name& origin) {
  zs_scanner_t& s = *impl_->scanner;
  std::memcpy(s.zone_origin, origin.wire().data(), origin.wire().size());
  s.zone_origin_length = static_cast<uint32_t>(origin.wire().size());
}

uint32_t EntryScanner::default_ttl() const { return impl_->scanner->default_ttl; }
void EntryScanner::SetDefaultTtl(uint32_t ttl) { impl_->scanner->default_ttl = ttl; }

std::optional<TextError> EntryScanner::Scan(std::string_view entry,
                                            const std::function<std::string(TextRecord&&)>& record) {
  std::string clean;
  if (entry.find('\r') != entry.npos) entry = clean = WithoutCarriageReturns(entry);
  zs_scanner_t* const scanner = impl_->scanner.get();
  if (zs_set_input_string(scanner, entry.data(), entry.size()) != 0)
    return TextError{.what = "the zone scanner takes no input"};
  scanner->state = ZS_STATE_NONE;
  scanner->line_counter = 1;
  std::optional<TextError> error;
  while (!error && scanner->state != ZS_STATE_EOF) {
    if (zs_parse_record(scanner) != 0 || scanner->state == ZS_STATE_ERROR) {
      error = ErrorAt(*scanner, entry);
    } else if (scanner->state == ZS_STATE_DATA) {
      TextRecord next = RecordOf(*scanner);
      std::string why = WhyNotARecord(next);
      if (why.empty()) why = record(std::move(next));
      if (!why.empty()) error = TextError{.line = 1, .column = 1, .what = std::move(why)};
    } else if (scanner->state != ZS_STATE_EOF) {
      error = TextError{.what = "this directive is not known here"};
    }
  }
  if (error) Reopen();
  return error;
}

// A scanner that met an error may be in the middle of anything.
void EntryScanner::Reopen() {
  const zs_scanner_t& old = *impl_->scanner;
  Scanner fresh = OpenScanner(old.default_ttl);
  fresh->zone_origin_length = old.zone_origin_length;
  std::memcpy(fresh->zone_origin, old.zone_origin, sizeof old.zone_origin);
  fresh->r_owner_length = old.r_owner_length;
  std::memcpy(fresh->r_owner, old.r_owner, sizeof old.r_owner);
  impl_->scanner = std::move(fresh);
}

}  // namespace quorate::dns

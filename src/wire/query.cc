#include "wire/query.h"

#include <algorithm>

#include "wire/name.h"

namespace quorate::wire {
namespace {

constexpr uint16_t kOptionCookie = 10;  // RFC 7873
constexpr size_t kMinUdpSize = 512;

std::string_view Text(Bytes message, size_t offset, size_t length) {
  return {reinterpret_cast<const char*>(message.data()) + offset, length};
}

// False: an option that runs over the end.
bool CheckOptions(Bytes options, EdnsView& edns) {
  size_t at = 0;
  while (at < options.size()) {
    if (options.size() - at < 4) return false;
    const uint16_t code = LoadU16(&options[at]), length = LoadU16(&options[at + 2]);
    at += 4;
    if (length > options.size() - at) return false;
    if (code == kOptionCookie) edns.has_cookie = true;
    at += length;
  }
  return true;
}

bool ReadOpt(Bytes message, size_t owner_at, size_t fixed_at, size_t length, QueryView& view) {
  if (message[owner_at] != 0 || view.edns) return false;
  EdnsView edns;
  edns.udp_size = std::max<uint16_t>(LoadU16(&message[fixed_at + 2]), kMinUdpSize);
  edns.version = message[fixed_at + 5];
  edns.dnssec_ok = (message[fixed_at + 6] & 0x80) != 0;
  if (!CheckOptions(message.subspan(fixed_at + 10, length), edns)) return false;
  edns.options = Text(message, fixed_at + 10, length);
  view.edns = edns;
  return true;
}

// Moves `at` over one record. OPT and TSIG belong into the additional section only, and nothing behind TSIG.
bool ReadRecord(Bytes message, size_t& at, bool additional, QueryView& view) {
  const size_t owner_at = at;
  const auto next = SkipName(message, at);
  if (!next.ok() || message.size() - *next < 10) return false;
  const auto type = static_cast<dns::RRType>(LoadU16(&message[*next]));
  const size_t length = LoadU16(&message[*next + 8]);
  if (length > message.size() - *next - 10) return false;
  at = *next + 10 + length;
  if (view.has_tsig) return false;
  view.has_tsig = type == dns::RRType::kTSIG;
  if (view.has_tsig) return additional;
  if (type != dns::RRType::kOPT) return true;
  return additional && ReadOpt(message, owner_at, *next, length, view);
}

bool ReadQuestion(Bytes message, size_t& at, QueryView& view) {
  const auto next = SkipPlainName(message, at);
  if (!next.ok() || message.size() - *next < 4) return false;
  view.qname = Text(message, at, *next - at);
  view.qtype = static_cast<dns::RRType>(LoadU16(&message[*next]));
  view.qclass = static_cast<dns::RRClass>(LoadU16(&message[*next + 2]));
  view.has_question = true;
  at = *next + 4;
  return true;
}

bool ReadBody(Bytes message, QueryView& view) {
  const auto& counts = view.header.counts;
  size_t at = kHeaderBytes;
  if (counts[0] > 1) return false;
  if (counts[0] == 1 && !ReadQuestion(message, at, view)) return false;
  if (counts[1] != 0) return false;
  if (counts[2] != 0 && view.qtype != dns::RRType::kIXFR) return false;
  const size_t records = size_t{counts[2]} + counts[3];
  for (size_t i = 0; i < records; ++i)
    if (!ReadRecord(message, at, i >= counts[2], view)) return false;
  if (at != message.size()) return false;
  return view.has_question || (view.edns && view.edns->has_cookie);
}

}  // namespace

QueryParse ParseQuery(Bytes message) {
  QueryParse parse;
  if (message.size() < kHeaderBytes) return parse;
  parse.view.header = LoadHeader(message);
  if (parse.view.header.has(kFlagQR)) return parse;
  if (parse.view.header.opcode() != dns::Opcode::kQuery) {
    parse.verdict = QueryVerdict::kOtherOpcode;
  } else {
    parse.verdict = ReadBody(message, parse.view) ? QueryVerdict::kQuery : QueryVerdict::kFormErr;
  }
  return parse;
}

}  // namespace quorate::wire

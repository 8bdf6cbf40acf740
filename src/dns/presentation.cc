#include "dns/presentation.h"

extern "C" {
#include <libknot/descriptor.h>
#include <libknot/errcode.h>
#include <libknot/rrset-dump.h>
#include <libknot/rrset.h>
}

#include <memory>

#include "dns/rdata.h"
#include "dns/zone_text.h"

namespace quorate::dns {
namespace {

constexpr size_t kRdataBytesMax = 65535;

std::string GenericText(std::string_view rdata) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out = "\\# " + std::to_string(rdata.size());
  if (!rdata.empty()) out += ' ';
  for (const char c : rdata) out += {kHex[static_cast<uint8_t>(c) >> 4], kHex[c & 15]};
  return out;
}

// libknot's text, or nullopt where it knows none: a malformed or too long rdata.
std::optional<std::string> KnotText(RRType type, std::string_view rdata) {
  if (rdata.size() > kRdataBytesMax) return std::nullopt;
  uint8_t root = 0;
  knot_rrset_t rrset;
  knot_rrset_init(&rrset, &root, static_cast<uint16_t>(type), static_cast<uint16_t>(RRClass::kIN), 0);
  if (knot_rrset_add_rdata(&rrset, reinterpret_cast<const uint8_t*>(rdata.data()),
                           static_cast<uint16_t>(rdata.size()), nullptr) != 0) {
    return std::nullopt;
  }
  // Times of signatures are written as dates of 1970 to 2106, whatever the day.
  knot_dump_style_t style = KNOT_DUMP_STYLE_DEFAULT;
  style.now = uint64_t{1} << 31;
  std::optional<std::string> text;
  // The longest text of an octet is \DDD; some types add a word for each few octets.
  for (size_t room = 512 + 2 * rdata.size(); !text && room <= 16 * (512 + kRdataBytesMax); room *= 4) {
    std::string out(room, '\0');
    const int written = knot_rrset_txt_dump_data(&rrset, 0, out.data(), out.size(), &style);
    if (written == KNOT_ESPACE) continue;
    if (written < 0) break;
    out.resize(static_cast<size_t>(written));
    text = std::move(out);
  }
  knot_rdataset_clear(&rrset.rrs, nullptr);
  return text;
}

// libknot writes these types by name, in bitmaps and as the type an RRSIG covers; libzscanner does not read
// them.
bool HasUnreadableType(const RdataShape& shape, std::string_view text) {
  if (!shape.fields.ends_with('b') && shape.type != RRType::kRRSIG) return false;
  for (const std::string_view word : {"NULL", "OPT", "SIG", "TKEY", "TSIG", "IXFR", "AXFR", "ANY"}) {
    for (size_t at = text.find(word); at != text.npos; at = text.find(word, at + 1)) {
      const size_t end = at + word.size();
      if ((at == 0 || text[at - 1] == ' ') && (end == text.size() || text[end] == ' ')) return true;
    }
  }
  return false;
}

}  // namespace

std::string TypeToText(RRType type) {
  // libzscanner reads NULL and SIG only by number.
  const bool by_number = type == static_cast<RRType>(KNOT_RRTYPE_NULL) || type == RRType::kSIG;
  if (by_number) return "TYPE" + std::to_string(static_cast<uint16_t>(type));
  char out[32];
  const int length = knot_rrtype_to_string(static_cast<uint16_t>(type), out, sizeof out);
  return length > 0 ? std::string(out, static_cast<size_t>(length))
                    : "TYPE" + std::to_string(static_cast<uint16_t>(type));
}

std::optional<RRType> TypeFromText(std::string_view text) {
  uint16_t type = 0;
  if (text.find('\0') != std::string_view::npos) return std::nullopt;
  if (knot_rrtype_from_string(std::string(text).c_str(), &type) != 0) return std::nullopt;
  return static_cast<RRType>(type);
}

std::optional<TextError> ParseZoneText(std::string_view text, const ZoneTextOptions& options,
                                       const std::function<std::string(TextRecord&&)>& record) {
  std::optional<TextError> first;
  ZoneTextParser parser(options, record, [&](TextError&& error) {
    first = std::move(error);
    return false;
  });
  if (parser.Feed(text)) parser.Finish();
  return first;
}

Result<std::string, TextError> RdataFromText(RRType type, std::string_view text, const Name& origin) {
  const std::string before = ". 0 IN " + TypeToText(type) + " ";
  std::optional<std::string> rdata;
  auto error =
      ParseZoneText(before + std::string(text) + "\n", {.origin = origin, .split_long_strings = true},
                    [&](TextRecord&& record) -> std::string {
                      if (rdata || record.type != type) return "more than one record's data";
                      rdata = std::move(record.rdata);
                      return {};
                    });
  if (!error && !rdata) error = TextError{.what = "no record data"};
  if (!error) return *std::move(rdata);
  if (error->line == 1) error->column = error->column > before.size() ? error->column - before.size() : 1;
  return *std::move(error);
}

std::string RdataToText(RRType type, std::string_view rdata) {
  // Types without a shape are opaque: they would look otherwise once a library learns them.
  const RdataShape* shape = ShapeOf(type);
  if (shape == nullptr || !Matches(*shape, rdata)) return GenericText(rdata);
  const auto text = KnotText(type, rdata);
  if (!text || HasUnreadableType(*shape, *text)) return GenericText(rdata);
  // What has a structure of its own has more than one form for the same text, such as LOC's 0e1 m and 0e2 m.
  if (shape->fields.find_first_of("Laiv") == std::string_view::npos) return *text;
  const auto back = RdataFromText(type, *text);
  return back.ok() && *back == rdata ? *text : GenericText(rdata);
}

bool IsValidRdata(RRType type, std::string_view rdata) {
  if (rdata.size() > kRdataBytesMax) return false;
  const RdataShape* shape = ShapeOf(type);
  return shape == nullptr || Matches(*shape, rdata);
}

std::string NameToZoneText(const Name& name) {
  const std::string text = name.ToText();
  std::string out;
  for (size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                          std::string_view("-_*/.").find(c) != std::string_view::npos;
    if (is_plain) {
      out += c;
    } else if (c == '\\' && i + 1 < text.size()) {
      out += c;
      out += text[++i];
    } else {
      const std::string digits = std::to_string(static_cast<uint8_t>(c));
      out += "\\" + std::string(3 - digits.size(), '0') + digits;
    }
  }
  return out;
}

std::string RRsetToText(const RRset& rrset) {
  const std::string head =
      NameToZoneText(rrset.owner) + " " + std::to_string(rrset.ttl) + " IN " + TypeToText(rrset.type);
  std::string out;
  for (const std::string& rdata : rrset.rdata) out += head + " " + RdataToText(rrset.type, rdata) + "\n";
  return out;
}

}  // namespace quorate::dns

#include "zone/store_keys.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/bytes.h"
#include "base/check.h"

namespace quorate::zone {
namespace {

using dns::RRType;

constexpr char kLabelEnd = '!';
constexpr char kOwnerEnd = ' ';
constexpr char kLowEscape = '%';   // then two hex digits: octets up to and with itself
constexpr char kHighEscape = '~';  // the same for octets from itself on
constexpr uint8_t kValueVersion = 1;
static_assert(kOwnerEnd < kLabelEnd && kLabelEnd < kLowEscape);

// The texts of types in keys. Never changed, never added to: a type that is not here is TYPEnnn for ever, or
// two versions of the program would keep one RRset under two keys.
struct TypeName {
  RRType type;
  std::string_view name;
};
constexpr RRType T(uint16_t value) { return static_cast<RRType>(value); }
constexpr std::array kTypeNames = {
    TypeName{T(1), "A"},           TypeName{T(2), "NS"},       TypeName{T(5), "CNAME"},
    TypeName{T(6), "SOA"},         TypeName{T(12), "PTR"},     TypeName{T(13), "HINFO"},
    TypeName{T(15), "MX"},         TypeName{T(16), "TXT"},     TypeName{T(17), "RP"},
    TypeName{T(18), "AFSDB"},      TypeName{T(25), "KEY"},     TypeName{T(28), "AAAA"},
    TypeName{T(29), "LOC"},        TypeName{T(33), "SRV"},     TypeName{T(35), "NAPTR"},
    TypeName{T(36), "KX"},         TypeName{T(37), "CERT"},    TypeName{T(39), "DNAME"},
    TypeName{T(42), "APL"},        TypeName{T(43), "DS"},      TypeName{T(44), "SSHFP"},
    TypeName{T(45), "IPSECKEY"},   TypeName{T(46), "RRSIG"},   TypeName{T(47), "NSEC"},
    TypeName{T(48), "DNSKEY"},     TypeName{T(49), "DHCID"},   TypeName{T(50), "NSEC3"},
    TypeName{T(51), "NSEC3PARAM"}, TypeName{T(52), "TLSA"},    TypeName{T(53), "SMIMEA"},
    TypeName{T(59), "CDS"},        TypeName{T(60), "CDNSKEY"}, TypeName{T(61), "OPENPGPKEY"},
    TypeName{T(62), "CSYNC"},      TypeName{T(63), "ZONEMD"},  TypeName{T(64), "SVCB"},
    TypeName{T(65), "HTTPS"},      TypeName{T(99), "SPF"},     TypeName{T(256), "URI"},
    TypeName{T(257), "CAA"},
};

std::string TypeText(RRType type) {
  const auto it =
      std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const TypeName& n) { return n.type == type; });
  return it != kTypeNames.end() ? std::string(it->name)
                                : "TYPE" + std::to_string(static_cast<uint16_t>(type));
}

std::optional<RRType> ParseType(std::string_view text) {
  const auto it =
      std::find_if(kTypeNames.begin(), kTypeNames.end(), [&](const TypeName& n) { return n.name == text; });
  if (it != kTypeNames.end()) return it->type;
  if (!text.starts_with("TYPE")) return std::nullopt;
  uint16_t value = 0;
  const auto [end, error] = std::from_chars(text.data() + 4, text.data() + text.size(), value);
  // Only the one way in which TypeText writes it.
  if (error != std::errc() || end != text.data() + text.size() || TypeText(T(value)) != text)
    return std::nullopt;
  return T(value);
}

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

void AppendLabel(std::string_view label, std::string& key) {
  static constexpr char kHex[] = "0123456789abcdef";
  for (const char raw : label) {
    const char c = dns::FoldCase(raw);
    if (Byte(c) > Byte(kLowEscape) && Byte(c) < Byte(kHighEscape)) {
      key += c;
    } else {
      key += {Byte(c) <= Byte(kLowEscape) ? kLowEscape : kHighEscape, kHex[Byte(c) >> 4], kHex[Byte(c) & 15]};
    }
  }
}

}  // namespace

std::string ZoneText(const dns::Name& zone) {
  std::string text;
  for (const char c : zone.Folded().ToText()) {
    if (c == '/') {
      text += "\\047";
    } else {
      text += c;
    }
  }
  return text;
}

namespace {

std::string ZonePrefix(const dns::Name& zone) { return std::string(kDnsKeyspace) + ZoneText(zone) + "/"; }

// The labels of `owner` below `zone`, last first.
std::string OwnerText(const dns::Name& zone, const dns::Name& owner) {
  std::vector<std::string_view> labels;
  for (dns::NameView at = owner.wire(); at.size() > zone.wire().size(); at = dns::ParentOf(at)) {
    labels.push_back(at.substr(1, Byte(at[0])));
  }
  std::string key;
  for (size_t i = labels.size(); i-- > 0;) {
    AppendLabel(labels[i], key);
    if (i > 0) key += kLabelEnd;
  }
  return key;
}

int HexValue(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

std::optional<std::string> ParseLabel(std::string_view text) {
  std::string label;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != kLowEscape && text[i] != kHighEscape) {
      label += text[i];
      continue;
    }
    if (i + 2 >= text.size() || HexValue(text[i + 1]) < 0 || HexValue(text[i + 2]) < 0) return std::nullopt;
    label += static_cast<char>(HexValue(text[i + 1]) * 16 + HexValue(text[i + 2]));
    i += 2;
  }
  if (label.empty() || label.size() > 63) return std::nullopt;
  return label;
}

std::optional<dns::Name> ParseOwner(std::string_view text, const dns::Name& zone) {
  std::string labels;  // in the order of the wire
  while (!text.empty()) {
    const size_t end = std::min(text.find(kLabelEnd), text.size());
    const auto label = ParseLabel(text.substr(0, end));
    if (!label) return std::nullopt;
    labels.insert(0, static_cast<char>(label->size()) + *label);
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return dns::Name::Concatenate(labels, zone);
}

}  // namespace

std::string RecordKey(const dns::Name& zone, const dns::Name& owner, RRType type) {
  CHECK(owner.IsAtOrBelow(zone));
  return ZonePrefix(zone) + OwnerText(zone, owner) + kOwnerEnd + TypeText(type);
}

std::pair<std::string, std::string> ZoneRange(const dns::Name& zone) {
  std::string first = ZonePrefix(zone);
  std::string end = first;
  end.back() = '/' + 1;
  return {std::move(first), std::move(end)};
}

std::optional<RecordKeyParts> ParseRecordKey(std::string_view key) {
  if (!key.starts_with(kDnsKeyspace)) return std::nullopt;
  const std::string_view rest = key.substr(kDnsKeyspace.size());
  const size_t slash = rest.find('/');
  const size_t space = rest.rfind(kOwnerEnd);
  if (slash == rest.npos || space == rest.npos || space < slash) return std::nullopt;
  const auto zone = dns::Name::FromText(rest.substr(0, slash));
  if (!zone.ok()) return std::nullopt;
  const auto owner = ParseOwner(rest.substr(slash + 1, space - slash - 1), *zone);
  const auto type = ParseType(rest.substr(space + 1));
  if (!owner || !type || RecordKey(*zone, *owner, *type) != key) return std::nullopt;
  return RecordKeyParts{*zone, *owner, *type};
}

std::string EncodeRRset(const dns::RRset& rrset) {
  ByteWriter out;
  out.U8(kValueVersion);
  out.U32(rrset.ttl);
  out.String(rrset.owner.wire());
  out.Varint(rrset.rdata.size());
  for (const std::string& rdata : rrset.rdata) out.String(rdata);
  return out.Take();
}

std::optional<dns::RRset> DecodeRRset(RRType type, std::string_view value) {
  ByteReader in(value);
  if (in.U8() != kValueVersion) return std::nullopt;
  dns::RRset rrset{.type = type, .ttl = in.U32()};
  const auto owner = dns::Name::FromWire(in.String());
  if (!owner) return std::nullopt;
  rrset.owner = *owner;
  const size_t count = in.Count();
  rrset.rdata.reserve(count);
  for (size_t i = 0; i < count; ++i) rrset.rdata.emplace_back(in.String());
  const bool too_long = std::any_of(rrset.rdata.begin(), rrset.rdata.end(),
                                    [](const std::string& r) { return r.size() > 65535; });
  if (!in.AtEnd() || count == 0 || too_long) return std::nullopt;
  return rrset;
}

}  // namespace quorate::zone

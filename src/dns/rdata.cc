#include "dns/rdata.h"

#include <algorithm>
#include <array>

#include "dns/rdata_special.h"

namespace quorate::dns {
namespace {

constexpr RRType T(uint16_t value) { return static_cast<RRType>(value); }

// Sorted by type. Compression: RFC 3597 4; folding: RFC 4034 6.2 without NSEC (RFC 6840 5.1).
constexpr bool kYes = true, kNo = false;
constexpr std::array kShapes = {
    RdataShape{RRType::kA, "4"},
    RdataShape{RRType::kNS, "n", kYes, kYes, kYes},
    RdataShape{T(3), "n", kYes, kYes, kYes},  // MD
    RdataShape{T(4), "n", kYes, kYes, kYes},  // MF
    RdataShape{RRType::kCNAME, "n", kYes, kYes, kYes},
    RdataShape{RRType::kSOA, "nn44444", kYes, kYes, kYes},
    RdataShape{T(7), "n", kYes, kYes, kYes},  // MB
    RdataShape{T(8), "n", kYes, kYes, kYes},  // MG
    RdataShape{T(9), "n", kYes, kYes, kYes},  // MR
    RdataShape{RRType::kPTR, "n", kYes, kYes, kYes},
    RdataShape{RRType::kHINFO, "ss"},
    RdataShape{T(14), "nn", kYes, kYes, kYes},  // MINFO
    RdataShape{RRType::kMX, "2n", kYes, kYes, kYes},
    RdataShape{RRType::kTXT, "S"},
    RdataShape{T(17), "nn", kNo, kYes, kYes},  // RP
    RdataShape{T(18), "2n", kNo, kYes, kYes},  // AFSDB
    RdataShape{T(21), "2n", kNo, kYes, kYes},  // RT
    RdataShape{RRType::kSIG, "99nR", kNo, kYes, kYes},
    RdataShape{RRType::kKEY, "211r"},
    RdataShape{T(26), "2nn", kNo, kYes, kYes},  // PX
    RdataShape{RRType::kAAAA, "88"},
    RdataShape{T(29), "L"},                    // LOC
    RdataShape{T(30), "nr", kNo, kYes, kYes},  // NXT
    RdataShape{RRType::kSRV, "222n", kNo, kYes, kYes},
    RdataShape{RRType::kNAPTR, "22sssn", kNo, kYes, kYes},
    RdataShape{T(36), "2n", kNo, kNo, kYes},  // KX
    RdataShape{T(37), "221R"},                // CERT
    RdataShape{RRType::kDNAME, "n", kNo, kNo, kYes},
    RdataShape{T(42), "a"},  // APL
    RdataShape{RRType::kDS, "211R"},
    RdataShape{T(44), "11R"},  // SSHFP
    RdataShape{T(45), "i"},    // IPSECKEY
    RdataShape{RRType::kRRSIG, "99nR", kNo, kNo, kYes},
    RdataShape{RRType::kNSEC, "nb"},
    RdataShape{RRType::kDNSKEY, "211R"},
    RdataShape{T(49), "R"},  // DHCID
    RdataShape{RRType::kNSEC3, "112pPb"},
    RdataShape{RRType::kNSEC3PARAM, "112p"},
    RdataShape{T(52), "111R"},  // TLSA
    RdataShape{T(53), "111R"},  // SMIMEA
    RdataShape{RRType::kCDS, "211R"},
    RdataShape{RRType::kCDNSKEY, "211R"},
    RdataShape{T(61), "R"},  // OPENPGPKEY
    RdataShape{RRType::kCSYNC, "42b"},
    RdataShape{RRType::kZONEMD, "411R"},
    RdataShape{RRType::kSVCB, "2nv"},
    RdataShape{RRType::kHTTPS, "2nv"},
    RdataShape{T(99), "S"},     // SPF
    RdataShape{T(104), "28"},   // NID
    RdataShape{T(105), "24"},   // L32
    RdataShape{T(106), "28"},   // L64
    RdataShape{T(107), "2n"},   // LP
    RdataShape{T(108), "6"},    // EUI48
    RdataShape{T(109), "8"},    // EUI64
    RdataShape{T(256), "22R"},  // URI
    RdataShape{T(257), "1tr"},  // CAA
};
static_assert(std::is_sorted(kShapes.begin(), kShapes.end(),
                             [](const RdataShape& a, const RdataShape& b) { return a.type < b.type; }));

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

// Octets of one <character-string> or length-prefixed field; npos: cut short.
size_t PrefixedLength(std::string_view rest) {
  if (rest.empty() || rest.size() < 1u + Byte(rest[0])) return std::string_view::npos;
  return 1u + Byte(rest[0]);
}

size_t StringsLength(std::string_view rest) {
  size_t total = 0;
  do {
    const size_t one = PrefixedLength(rest.substr(total));
    if (one == std::string_view::npos) return one;
    total += one;
  } while (total < rest.size());
  return total;
}

// Windows ascending, 1 to 32 octets each, no trailing zero octet (RFC 4034 4.1.2).
size_t BitmapsLength(std::string_view rest) {
  size_t at = 0;
  int last_window = -1;
  while (at < rest.size()) {
    if (rest.size() - at < 2) return std::string_view::npos;
    const int window = Byte(rest[at]);
    const size_t length = Byte(rest[at + 1]);
    if (window <= last_window || length < 1 || length > 32 || rest.size() - at - 2 < length ||
        rest[at + 1 + length] == '\0') {
      return std::string_view::npos;
    }
    last_window = window;
    at += 2 + length;
  }
  return at;
}

size_t TagLength(std::string_view rest) {
  const size_t length = PrefixedLength(rest);
  if (length == std::string_view::npos || length < 2 || length > 16) return std::string_view::npos;
  const bool plain = std::all_of(rest.begin() + 1, rest.begin() + length, [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
  });
  return plain ? length : std::string_view::npos;
}

// The length of the field that `rest` begins with, or npos: there is no such field.
size_t FieldLength(char field, std::string_view rest) {
  constexpr size_t kNone = std::string_view::npos;
  switch (field) {
    case 'n': {
      const size_t length = NameLengthAt(rest);
      return length == 0 ? kNone : length;
    }
    case 's':
    case 'p':
      return PrefixedLength(rest);
    case 'P':
      return rest.empty() || rest[0] == '\0' ? kNone : PrefixedLength(rest);
    case 'S':
      return StringsLength(rest);
    case 'b':
      return BitmapsLength(rest);
    case 't':
      return TagLength(rest);
    case 'L':
      return IsLocation(rest) ? rest.size() : kNone;
    case 'a':
      return AreAddressPrefixes(rest) ? rest.size() : kNone;
    case 'i':
      return IsIpsecKey(rest) ? rest.size() : kNone;
    case 'v':
      return AreSvcParams(rest) ? rest.size() : kNone;
    case 'r':
      return rest.size();
    case 'R':
      return rest.empty() ? kNone : rest.size();
    default: {
      const size_t length = static_cast<size_t>(field - '0');
      return rest.size() < length ? kNone : length;
    }
  }
}

}  // namespace

const RdataShape* ShapeOf(RRType type) {
  const auto it = std::lower_bound(kShapes.begin(), kShapes.end(), type,
                                   [](const RdataShape& shape, RRType t) { return shape.type < t; });
  return it != kShapes.end() && it->type == type ? &*it : nullptr;
}

bool Matches(const RdataShape& shape, std::string_view rdata) {
  for (const char field : shape.fields) {
    const size_t length = FieldLength(field, rdata);
    if (length == std::string_view::npos) return false;
    rdata.remove_prefix(length);
  }
  return rdata.empty();
}

std::string CanonicalRdata(RRType type, std::string_view rdata) {
  std::string out(rdata);
  const RdataShape* shape = ShapeOf(type);
  if (shape == nullptr || !shape->folded) return out;
  size_t at = 0;
  for (const char field : shape->fields) {
    const size_t length = FieldLength(field, rdata.substr(at));
    if (length == std::string_view::npos) return std::string(rdata);
    if (field == 'n') std::transform(out.begin() + at, out.begin() + at + length, out.begin() + at, FoldCase);
    at += length;
  }
  return out;
}

std::optional<RdataName> FirstName(RRType type, std::string_view rdata) {
  const RdataShape* shape = ShapeOf(type);
  if (shape == nullptr) return std::nullopt;
  size_t at = 0;
  for (const char field : shape->fields) {
    const size_t length = FieldLength(field, rdata.substr(at));
    if (length == std::string_view::npos) return std::nullopt;
    if (field == 'n')
      return RdataName{rdata.substr(0, at), rdata.substr(at, length), rdata.substr(at + length)};
    at += length;
  }
  return std::nullopt;
}

}  // namespace quorate::dns

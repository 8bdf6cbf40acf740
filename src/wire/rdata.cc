#include "wire/rdata.h"

#include "wire/name.h"

namespace quorate::wire {

std::string_view RdataLayout(dns::RRType type) {
  switch (static_cast<uint16_t>(type)) {
    case 1:
      return "4";  // A
    case 28:
      return "88";  // AAAA
    case 2:
    case 3:
    case 4:  // NS, MD, MF
    case 5:
    case 7:
    case 8:  // CNAME, MB, MG
    case 9:
    case 12:
    case 39:  // MR, PTR, DNAME
      return "n";
    case 6:
      return "nn992";  // SOA
    case 14:
    case 17:  // MINFO, RP
      return "nn";
    case 15:
    case 18:
    case 21:  // MX, AFSDB, RT
    case 36:  // KX
      return "2n";
    case 24:
      return "99n*";  // SIG
    case 26:
      return "2nn";  // PX
    case 30:
      return "n*";  // NXT
    case 33:
      return "6n";  // SRV
    case 35:
      return "4sssn";  // NAPTR
    default:
      return "";
  }
}

bool MayCompressRdata(dns::RRType type) {
  switch (static_cast<uint16_t>(type)) {
    case 2:
    case 3:
    case 4:
    case 5:
    case 6:
    case 7:
    case 8:
    case 9:
    case 12:
    case 14:
    case 15:
      return true;
    default:
      return false;
  }
}

namespace {

std::optional<WireError> AppendOctets(Bytes message, size_t& at, size_t end, size_t count, std::string& out) {
  if (count > end - at) return WireError{WireFault::kBadRdata, at};
  out.append(reinterpret_cast<const char*>(message.data()) + at, count);
  at += count;
  return std::nullopt;
}

std::optional<WireError> AppendName(Bytes message, size_t& at, size_t end, std::string& out) {
  NameBuffer name;
  const auto next = DecodeName(message.first(end), at, name);
  if (!next.ok()) {
    // A name that runs out of the rdata is the record's fault, not the message's.
    if (next.error().fault == WireFault::kTruncated) return WireError{WireFault::kBadRdata, at};
    return next.error();
  }
  out.append(name.view());
  at = *next;
  return std::nullopt;
}

}  // namespace

std::optional<WireError> DecodeRdata(Bytes message, size_t offset, size_t length, dns::RRType type,
                                     std::string& out) {
  if (offset > message.size() || length > message.size() - offset)
    return WireError{WireFault::kTruncated, offset};
  const std::string_view layout = RdataLayout(type);
  size_t at = offset;
  const size_t end = offset + length;
  if (layout.empty()) return AppendOctets(message, at, end, length, out);
  for (const char field : layout) {
    std::optional<WireError> error;
    if (field == 'n') {
      error = AppendName(message, at, end, out);
    } else if (field == '*') {
      error = AppendOctets(message, at, end, end - at, out);
    } else if (field == 's') {
      if (at >= end) return WireError{WireFault::kBadRdata, at};
      error = AppendOctets(message, at, end, 1u + message[at], out);
    } else {
      error = AppendOctets(message, at, end, static_cast<size_t>(field - '0'), out);
    }
    if (error) return error;
  }
  if (at != end) return WireError{WireFault::kBadRdata, at};
  return std::nullopt;
}

}  // namespace quorate::wire

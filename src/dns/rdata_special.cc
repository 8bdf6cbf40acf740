#include "dns/rdata_special.h"

#include <cstddef>
#include <cstdint>

#include "dns/name.h"

namespace quorate::dns {
namespace {

uint8_t Byte(char c) { return static_cast<uint8_t>(c); }

uint32_t U16(std::string_view bytes, size_t at) { return Byte(bytes[at]) << 8 | Byte(bytes[at + 1]); }
uint32_t U32(std::string_view bytes, size_t at) { return U16(bytes, at) << 16 | U16(bytes, at + 2); }

// A size or precision: mantissa and power of ten, both decimal digits.
bool IsDecimalPair(char c) { return Byte(c) >> 4 <= 9 && (Byte(c) & 15) <= 9; }

// Thousandths of arc seconds around 2^31.
bool IsAngle(uint32_t value, uint32_t degrees_max) {
  const uint32_t middle = uint32_t{1} << 31;
  const uint32_t off = value >= middle ? value - middle : middle - value;
  return off <= degrees_max * 3600000u;
}

// RFC 9460 8: keys, at least one, ascending; not "mandatory" itself; each among the parameters present.
bool IsMandatoryList(std::string_view value, std::string_view params) {
  if (value.empty() || value.size() % 2 != 0) return false;
  uint32_t last = 0;
  for (size_t i = 0; i < value.size(); i += 2) {
    const uint32_t key = U16(value, i);
    if (key <= last) return false;
    last = key;
    bool present = false;
    for (size_t at = 0; at < params.size() && !present; at += 4 + U16(params, at + 2))
      present = U16(params, at) == key;
    if (!present) return false;
  }
  return true;
}

// RFC 9460 7.1.1: protocol ids of at least one octet, at least one of them.
bool IsAlpnList(std::string_view value) {
  if (value.empty()) return false;
  while (!value.empty()) {
    const size_t length = Byte(value[0]);
    if (length == 0 || length >= value.size()) return false;
    value.remove_prefix(1 + length);
  }
  return true;
}

bool IsSvcParam(uint32_t key, std::string_view value, std::string_view params) {
  switch (key) {
    case 0:
      return IsMandatoryList(value, params);
    case 1:
      return IsAlpnList(value);
    case 2:  // no-default-alpn
      return value.empty();
    case 3:  // port
      return value.size() == 2;
    case 4:  // ipv4hint
      return !value.empty() && value.size() % 4 == 0;
    case 5:  // ech
      return !value.empty();
    case 6:  // ipv6hint
      return !value.empty() && value.size() % 16 == 0;
    default:
      return key != 65535;  // reserved: "invalid key"
  }
}

}  // namespace

bool IsLocation(std::string_view rdata) {
  return rdata.size() == 16 && rdata[0] == '\0' && IsDecimalPair(rdata[1]) && IsDecimalPair(rdata[2]) &&
         IsDecimalPair(rdata[3]) && IsAngle(U32(rdata, 4), 90) && IsAngle(U32(rdata, 8), 180);
}

bool AreAddressPrefixes(std::string_view rdata) {
  while (!rdata.empty()) {
    if (rdata.size() < 4) return false;
    const uint32_t family = U16(rdata, 0);
    if (family != 1 && family != 2) return false;
    const size_t address_max = family == 1 ? 4 : 16;
    const size_t length = Byte(rdata[3]) & 0x7f;
    if (Byte(rdata[2]) > 8 * address_max || length > address_max || rdata.size() < 4 + length) return false;
    if (length > 0 && rdata[3 + length] == '\0') return false;  // trailing zeros are left out
    rdata.remove_prefix(4 + length);
  }
  return true;
}

bool IsIpsecKey(std::string_view rdata) {
  if (rdata.size() < 3) return false;
  size_t gateway = 0;
  switch (rdata[1]) {
    case 0:
      break;
    case 1:
      gateway = 4;
      break;
    case 2:
      gateway = 16;
      break;
    case 3:
      gateway = NameLengthAt(rdata.substr(3));
      if (gateway == 0) return false;
      break;
    default:
      return false;
  }
  // Algorithm 0 means that there is no key.
  return rdata[2] == '\0' ? rdata.size() == 3 + gateway : rdata.size() > 3 + gateway;
}

bool AreSvcParams(std::string_view params) {
  int64_t last = -1;
  for (size_t at = 0; at < params.size();) {
    if (params.size() - at < 4 || params.size() - at - 4 < U16(params, at + 2)) return false;
    const uint32_t key = U16(params, at);
    if (int64_t{key} <= last) return false;
    last = key;
    at += 4 + U16(params, at + 2);
  }
  for (size_t at = 0; at < params.size();) {
    const size_t length = U16(params, at + 2);
    if (!IsSvcParam(U16(params, at), params.substr(at + 4, length), params)) return false;
    at += 4 + length;
  }
  return true;
}

}  // namespace quorate::dns

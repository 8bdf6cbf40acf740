// The 12 octets that open every message (RFC 1035 4.1.1; AD and CD: RFC 4035 3.1.6).
#pragma once

#include <cstdint>

#include "dns/rr.h"
#include "wire/endian.h"
#include "wire/error.h"

namespace quorate::wire {

inline constexpr size_t kHeaderBytes = 12;

inline constexpr uint16_t kFlagQR = 0x8000, kFlagAA = 0x0400, kFlagTC = 0x0200, kFlagRD = 0x0100,
                          kFlagRA = 0x0080, kFlagZ = 0x0040, kFlagAD = 0x0020, kFlagCD = 0x0010;

struct Header {
  uint16_t id = 0;
  uint16_t flags = 0;  // with opcode and rcode in their places
  uint16_t counts[4] = {0, 0, 0, 0};

  dns::Opcode opcode() const { return static_cast<dns::Opcode>(flags >> 11 & 0xf); }
  uint16_t rcode() const { return flags & 0xf; }  // the low four bits; EDNS has the rest
  bool has(uint16_t flag) const { return (flags & flag) != 0; }
};

// `message` has at least kHeaderBytes.
inline Header LoadHeader(Bytes message) {
  Header h{.id = LoadU16(&message[0]), .flags = LoadU16(&message[2])};
  for (size_t i = 0; i < 4; ++i) h.counts[i] = LoadU16(&message[4 + 2 * i]);
  return h;
}

// `out` has room for kHeaderBytes.
inline void StoreHeader(const Header& h, uint8_t* out) {
  StoreU16(out, h.id);
  StoreU16(out + 2, h.flags);
  for (size_t i = 0; i < 4; ++i) StoreU16(out + 4 + 2 * i, h.counts[i]);
}

}  // namespace quorate::wire

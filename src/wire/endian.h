// Big-endian integers at a place the caller has checked to be inside the message.
#pragma once

#include <cstdint>

namespace quorate::wire {

inline uint16_t LoadU16(const uint8_t* p) { return static_cast<uint16_t>(p[0] << 8 | p[1]); }
inline uint32_t LoadU32(const uint8_t* p) { return static_cast<uint32_t>(LoadU16(p)) << 16 | LoadU16(p + 2); }

inline void StoreU16(uint8_t* p, uint16_t v) {
  p[0] = static_cast<uint8_t>(v >> 8);
  p[1] = static_cast<uint8_t>(v);
}
inline void StoreU32(uint8_t* p, uint32_t v) {
  StoreU16(p, static_cast<uint16_t>(v >> 16));
  StoreU16(p + 2, static_cast<uint16_t>(v));
}

}  // namespace quorate::wire

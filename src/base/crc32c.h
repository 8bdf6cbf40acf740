// CRC-32C (Castagnoli, RFC 3720 B.4).
#pragma once

#include <cstdint>
#include <string_view>

namespace quorate {

// The checksum of `bytes` appended to data whose checksum is `seed` (0 for none). Uses the processor's
// instruction where there is one.
uint32_t Crc32c(std::string_view bytes, uint32_t seed = 0);

}  // namespace quorate

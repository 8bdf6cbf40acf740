#include "api/xfr/random_id.h"

#include <openssl/rand.h>

#include "base/check.h"

namespace quorate::api::xfr {

uint16_t RandomId() {
  unsigned char bytes[2];
  CHECK_EQ(RAND_bytes(bytes, sizeof bytes), 1);
  return static_cast<uint16_t>(bytes[0] << 8 | bytes[1]);
}

std::string RandomHex(size_t octets) {
  static constexpr char kHex[] = "0123456789abcdef";
  std::string bytes(octets, '\0'), out;
  CHECK_EQ(RAND_bytes(reinterpret_cast<unsigned char*>(bytes.data()), static_cast<int>(octets)), 1);
  for (const char c : bytes) out += {kHex[static_cast<uint8_t>(c) >> 4], kHex[static_cast<uint8_t>(c) & 15]};
  return out;
}

}  // namespace quorate::api::xfr

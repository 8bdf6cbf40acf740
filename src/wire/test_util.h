// For tests only: messages from hex, and seeded damage.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "wire/error.h"

namespace quorate::wire {

// "00 01 ff"; spaces are skipped.
inline std::vector<uint8_t> Hex(std::string_view text) {
  std::vector<uint8_t> out;
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  for (size_t i = 0; i + 1 < digits.size(); i += 2)
    out.push_back(static_cast<uint8_t>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return out;
}

inline Bytes AsBytes(std::string_view text) {
  return {reinterpret_cast<const uint8_t*>(text.data()), text.size()};
}

// A few random changes: flipped bits, special octets, cuts, repeats.
inline std::vector<uint8_t> Damage(std::vector<uint8_t> bytes, Rng& rng) {
  static constexpr uint8_t kSpecial[] = {0x00, 0x01, 0x3f, 0x40, 0x80, 0xc0, 0xc1, 0xff, 0x0c, 0x29};
  for (uint64_t n = 1 + rng.Below(4); n > 0 && !bytes.empty(); --n) {
    const size_t at = rng.Below(bytes.size());
    switch (rng.Below(5)) {
      case 0:
        bytes[at] ^= static_cast<uint8_t>(1u << rng.Below(8));
        break;
      case 1:
        bytes[at] = kSpecial[rng.Below(sizeof kSpecial)];
        break;
      case 2:
        bytes.resize(at);
        break;
      case 3:
        bytes.insert(bytes.begin() + static_cast<long>(at), kSpecial[rng.Below(sizeof kSpecial)]);
        break;
      default: {
        const size_t count = rng.Below(bytes.size() - at) + 1;
        const std::vector<uint8_t> piece(bytes.begin() + static_cast<long>(at),
                                         bytes.begin() + static_cast<long>(at + count));
        bytes.insert(bytes.end(), piece.begin(), piece.end());
      }
    }
  }
  if (bytes.size() > 65535) bytes.resize(65535);
  return bytes;
}

}  // namespace quorate::wire

#include "base/siphash.h"

#include <bit>
#include <cstddef>

namespace quorate {
namespace {

uint64_t Load(const uint8_t* at, size_t octets = 8) {
  uint64_t out = 0;
  for (size_t i = 0; i < octets; ++i) out |= uint64_t{at[i]} << (8 * i);
  return out;
}

struct State {
  uint64_t v0, v1, v2, v3;

  void Round() {
    v0 += v1, v1 = std::rotl(v1, 13), v1 ^= v0, v0 = std::rotl(v0, 32);
    v2 += v3, v3 = std::rotl(v3, 16), v3 ^= v2;
    v0 += v3, v3 = std::rotl(v3, 21), v3 ^= v0;
    v2 += v1, v1 = std::rotl(v1, 17), v1 ^= v2, v2 = std::rotl(v2, 32);
  }
  void Take(uint64_t word) {
    v3 ^= word;
    Round(), Round();
    v0 ^= word;
  }
};

}  // namespace

uint64_t SipHash24(const std::array<uint8_t, 16>& key, std::span<const uint8_t> data) {
  const uint64_t k0 = Load(key.data()), k1 = Load(key.data() + 8);
  State s{k0 ^ 0x736f6d6570736575, k1 ^ 0x646f72616e646f6d, k0 ^ 0x6c7967656e657261, k1 ^ 0x7465646279746573};
  size_t at = 0;
  for (; data.size() - at >= 8; at += 8) s.Take(Load(data.data() + at));
  s.Take(Load(data.data() + at, data.size() - at) | uint64_t{data.size()} << 56);
  s.v2 ^= 0xff;
  s.Round(), s.Round(), s.Round(), s.Round();
  return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

}  // namespace quorate

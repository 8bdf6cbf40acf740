// Deterministic pseudo-random numbers (SplitMix64; Steele, Lea, Flood 2014). The seed is an input: the pure
// layers never draw their own.
#pragma once

#include <cstdint>

#include "base/check.h"

namespace quorate {

class Rng {
 public:
  explicit Rng(uint64_t seed) : state_(seed) {}

  uint64_t Next() {
    uint64_t z = (state_ += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  // Uniform in [0, bound); bound > 0. The modulo bias is below 2^-40 for the bounds in use.
  uint64_t Below(uint64_t bound) {
    CHECK_GT(bound, 0u);
    return Next() % bound;
  }
  // True with probability `part` / `whole`.
  bool Chance(uint64_t part, uint64_t whole) { return Below(whole) < part; }

 private:
  uint64_t state_;
};

}  // namespace quorate

#include "base/siphash.h"

#include <gtest/gtest.h>

#include <vector>

namespace quorate {
namespace {

// The paper's appendix, and some of the reference implementation's vectors: key 00..0f, data 00..n-1.
TEST(SipHash, TheReferenceVectors) {
  std::array<uint8_t, 16> key{};
  std::vector<uint8_t> data;
  for (uint8_t i = 0; i < 16; ++i) key[i] = i;
  const auto hash = [&](uint8_t size) {
    data.clear();
    for (uint8_t i = 0; i < size; ++i) data.push_back(i);
    return SipHash24(key, data);
  };
  EXPECT_EQ(hash(0), 0x726fdb47dd0e0e31u);
  EXPECT_EQ(hash(1), 0x74f839c593dc67fdu);
  EXPECT_EQ(hash(7), 0xab0200f58b01d137u);
  EXPECT_EQ(hash(8), 0x93f5f5799a932462u);
  EXPECT_EQ(hash(15), 0xa129ca6149be45e5u);
}

}  // namespace
}  // namespace quorate

#include "dns/tsig_algorithm.h"

#include <gtest/gtest.h>

namespace quorate::dns {
namespace {

TEST(TsigAlgorithm, TextWireAndNumberAreEachOthersInverse) {
  int found = 0;
  for (int value = 0; value < 256; ++value) {
    const auto algorithm = TsigAlgorithmFromNumber(static_cast<uint8_t>(value));
    if (!algorithm) continue;
    ++found;
    EXPECT_EQ(static_cast<int>(*algorithm), value);
    EXPECT_EQ(TsigAlgorithmFromText(TsigAlgorithmToText(*algorithm)), algorithm);
    EXPECT_EQ(TsigAlgorithmFromName(TsigAlgorithmName(*algorithm)), algorithm);
    EXPECT_TRUE(Name::FromWire(TsigAlgorithmName(*algorithm)).has_value());
  }
  EXPECT_EQ(found, 6);
}

TEST(TsigAlgorithm, Rfc8945Section6Names) {
  EXPECT_EQ(TsigAlgorithmFromText("HMAC-SHA256."), TsigAlgorithm::kHmacSha256);
  EXPECT_EQ(TsigAlgorithmFromText("HMAC-MD5.SIG-ALG.REG.INT"), TsigAlgorithm::kHmacMd5);
  EXPECT_EQ(TsigAlgorithmFromText("hmac-sha1.sig-alg.reg.int"), std::nullopt);
  EXPECT_EQ(TsigAlgorithmFromText("gss-tsig"), std::nullopt);
  EXPECT_EQ(TsigAlgorithmFromText(""), std::nullopt);
  EXPECT_EQ(TsigAlgorithmFromName(Name::FromText("HMAC-MD5.sig-alg.reg.int.")->wire()),
            TsigAlgorithm::kHmacMd5);
  EXPECT_EQ(TsigMacBytes(TsigAlgorithm::kHmacSha384), 48u);
}

}  // namespace
}  // namespace quorate::dns

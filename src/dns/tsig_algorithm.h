// The algorithms that sign messages (RFC 8945 6), with the names they have on the wire and in text. The HMACs
// themselves are in wire/tsig.h.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "dns/name.h"

namespace quorate::dns {

// The values are written into replicated keys: they never change.
enum class TsigAlgorithm : uint8_t {
  kHmacMd5 = 1,  // for old secondaries only: RFC 8945 6 says it must not be used
  kHmacSha1 = 2,
  kHmacSha224 = 3,
  kHmacSha256 = 4,
  kHmacSha384 = 5,
  kHmacSha512 = 6,
};

// "hmac-sha256"; MD5 is "hmac-md5".
std::string_view TsigAlgorithmToText(TsigAlgorithm algorithm);
// In whatever case, with or without the trailing dot; MD5 also as "hmac-md5.sig-alg.reg.int".
std::optional<TsigAlgorithm> TsigAlgorithmFromText(std::string_view text);

// The algorithm's name, in lower case: it lives as long as the program.
NameView TsigAlgorithmName(TsigAlgorithm algorithm);
std::optional<TsigAlgorithm> TsigAlgorithmFromName(NameView name);

// Octets of the whole MAC.
size_t TsigMacBytes(TsigAlgorithm algorithm);

// From a number that was written; nullopt: no algorithm has it.
std::optional<TsigAlgorithm> TsigAlgorithmFromNumber(uint8_t value);

}  // namespace quorate::dns

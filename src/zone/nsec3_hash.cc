// The plain SHA1_* calls need no memory of their own, which the EVP interface cannot promise.
#define OPENSSL_SUPPRESS_DEPRECATED
#include "zone/nsec3_hash.h"

#include <openssl/sha.h>

namespace quorate::zone {
namespace {

constexpr uint8_t kSha1 = 1;
constexpr size_t kFixedBytes = 5;  // algorithm, flags, iterations, salt length

}  // namespace

std::optional<Nsec3Fields> ParseNsec3(std::string_view rdata) {
  if (rdata.size() < kFixedBytes || static_cast<uint8_t>(rdata[0]) != kSha1) return std::nullopt;
  const auto octet = [&](size_t i) { return static_cast<uint8_t>(rdata[i]); };
  const size_t salt_bytes = octet(4);
  if (rdata.size() < kFixedBytes + salt_bytes) return std::nullopt;
  Nsec3Fields out;
  out.flags = octet(1);
  out.params.iterations = static_cast<uint16_t>(octet(2) << 8 | octet(3));
  out.params.salt = rdata.substr(kFixedBytes, salt_bytes);
  out.rest = rdata.substr(kFixedBytes + salt_bytes);
  return out;
}

Nsec3Hash HashName(dns::NameView folded, const Nsec3Params& params) {
  Nsec3Hash hash;
  const auto digest = [&](const void* data, size_t bytes) {
    SHA_CTX context;
    SHA1_Init(&context);
    SHA1_Update(&context, data, bytes);
    SHA1_Update(&context, params.salt.data(), params.salt.size());
    SHA1_Final(hash.data(), &context);
  };
  digest(folded.data(), folded.size());
  for (uint32_t i = 0; i < params.iterations; ++i) digest(hash.data(), hash.size());
  return hash;
}

Nsec3Label ToLabel(const Nsec3Hash& hash) {
  static constexpr char kDigits[] = "0123456789abcdefghijklmnopqrstuv";
  Nsec3Label out;
  size_t at = 0;
  out[at++] = static_cast<char>(kNsec3LabelBytes);
  for (size_t group = 0; group < hash.size(); group += 5) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 5; ++i) bits = bits << 8 | hash[group + i];
    for (int shift = 35; shift >= 0; shift -= 5) out[at++] = kDigits[bits >> shift & 31];
  }
  return out;
}

std::optional<Nsec3Hash> FromLabel(std::string_view label) {
  if (label.size() != kNsec3LabelBytes) return std::nullopt;
  Nsec3Hash out;
  for (size_t group = 0; group < 4; ++group) {
    uint64_t bits = 0;
    for (size_t i = 0; i < 8; ++i) {
      const char c = dns::FoldCase(label[group * 8 + i]);
      const bool is_digit = c >= '0' && c <= '9', is_letter = c >= 'a' && c <= 'v';
      if (!is_digit && !is_letter) return std::nullopt;
      bits = bits << 5 | static_cast<uint64_t>(is_digit ? c - '0' : c - 'a' + 10);
    }
    for (size_t i = 0; i < 5; ++i) out[group * 5 + i] = static_cast<uint8_t>(bits >> (32 - 8 * i));
  }
  return out;
}

}  // namespace quorate::zone

#include "wire/hmac.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>

#include "wire/endian.h"

namespace quorate::wire {
namespace {

const char* DigestOf(dns::TsigAlgorithm algorithm) {
  switch (algorithm) {
    case dns::TsigAlgorithm::kHmacMd5:
      return "MD5";
    case dns::TsigAlgorithm::kHmacSha1:
      return "SHA1";
    case dns::TsigAlgorithm::kHmacSha224:
      return "SHA224";
    case dns::TsigAlgorithm::kHmacSha256:
      return "SHA256";
    case dns::TsigAlgorithm::kHmacSha384:
      return "SHA384";
    case dns::TsigAlgorithm::kHmacSha512:
      return "SHA512";
  }
  return "";
}

const unsigned char* Octets(std::string_view bytes) {
  return reinterpret_cast<const unsigned char*>(bytes.data());
}

}  // namespace

void Hmac::Free::operator()(evp_mac_ctx_st* context) const { EVP_MAC_CTX_free(context); }

Hmac::Hmac(dns::TsigAlgorithm algorithm, std::string_view secret) {
  EVP_MAC* mac = EVP_MAC_fetch(nullptr, "HMAC", nullptr);
  if (mac == nullptr) return;
  context_.reset(EVP_MAC_CTX_new(mac));
  EVP_MAC_free(mac);  // the context holds its own reference
  if (context_ == nullptr) return;
  std::string digest = DigestOf(algorithm);
  const OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, digest.data(), digest.size()),
      OSSL_PARAM_construct_end()};
  static constexpr unsigned char kNothing[1] = {0};
  const unsigned char* key = secret.empty() ? kNothing : Octets(secret);  // null would mean "no key yet"
  ok_ = EVP_MAC_init(context_.get(), key, secret.size(), parameters) == 1;
}

void Hmac::Add(std::string_view bytes) {
  ok_ = ok_ && EVP_MAC_update(context_.get(), Octets(bytes), bytes.size()) == 1;
}

void Hmac::AddU16(uint16_t value) {
  uint8_t octets[2];
  StoreU16(octets, value);
  Add(Bytes(octets));
}

void Hmac::AddU32(uint32_t value) {
  uint8_t octets[4];
  StoreU32(octets, value);
  Add(Bytes(octets));
}

void Hmac::AddU48(uint64_t value) {
  AddU16(static_cast<uint16_t>(value >> 32));
  AddU32(static_cast<uint32_t>(value));
}

std::string Hmac::Finish() {
  std::string mac(EVP_MAX_MD_SIZE, '\0');
  size_t size = 0;
  ok_ = ok_ &&
        EVP_MAC_final(context_.get(), reinterpret_cast<unsigned char*>(mac.data()), &size, mac.size()) == 1;
  mac.resize(ok_ ? size : 0);
  ok_ = false;
  return mac;
}

bool SameMac(std::string_view a, std::string_view b) {
  return a.size() == b.size() && CRYPTO_memcmp(a.data(), b.data(), a.size()) == 0;
}

}  // namespace quorate::wire

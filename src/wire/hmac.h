// HMAC (RFC 2104) as TSIG uses it, over pieces.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "dns/tsig_algorithm.h"
#include "wire/error.h"

struct evp_mac_ctx_st;

namespace quorate::wire {

// One MAC under way. OpenSSL may refuse an algorithm (FIPS has no MD5): then Finish gives nothing, and
// whoever asked treats the key as unknown.
class Hmac {
 public:
  Hmac(dns::TsigAlgorithm algorithm, std::string_view secret);

  void Add(std::string_view bytes);
  void Add(Bytes bytes) { Add({reinterpret_cast<const char*>(bytes.data()), bytes.size()}); }
  void AddU16(uint16_t value);
  void AddU32(uint32_t value);
  void AddU48(uint64_t value);

  // The whole MAC; empty: not available. Once.
  std::string Finish();

 private:
  struct Free {
    void operator()(evp_mac_ctx_st* context) const;
  };
  std::unique_ptr<evp_mac_ctx_st, Free> context_;
  bool ok_ = false;
};

// In time that does not depend on where they differ.
bool SameMac(std::string_view a, std::string_view b);

}  // namespace quorate::wire

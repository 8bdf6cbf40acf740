// The EDNS options that a request asks for, and those of its response. Pure; no allocation.
#pragma once

#include <cstdint>
#include <cstring>
#include <string_view>

#include "serve/transport.h"

namespace quorate::serve {

// What a request has asked for; unknown options are not here (RFC 6891 6.1.2).
struct OptionsAsked {
  bool malformed = false;
  bool nsid = false;          // RFC 5001
  bool expire = false;        // RFC 7314
  bool keepalive = false;     // RFC 7828; over UDP it is ignored
  bool padding = false;       // RFC 7830
  bool zone_version = false;  // RFC 9660
  std::string_view cookie;    // RFC 7873: the first one; empty: none
};
// `options` is well-formed as far as codes and lengths go.
OptionsAsked ReadOptions(std::string_view options, Transport transport);

inline constexpr size_t kNsidBytesMax = 128;  // so that all options fit into 512 octets with any question
inline constexpr size_t kPaddingBlock = 468;  // RFC 8467 4.1

// An OPT record's data in the making.
class OptionWriter {
 public:
  static constexpr size_t kHeadBytes = 4;

  // Whoever adds has counted: all options of a response fit.
  void Add(uint16_t code, std::string_view data) {
    Head(code, data.size());
    std::memcpy(bytes_ + size_, data.data(), data.size());
    size_ += data.size();
  }
  void AddU16(uint16_t code, uint16_t value) {
    const char data[2] = {static_cast<char>(value >> 8), static_cast<char>(value)};
    Add(code, {data, 2});
  }
  // Zeros, so that a message that has `others` octets beside these options comes to whole blocks; none if
  // that were more than `room` octets.
  void Pad(size_t others, size_t room);
  size_t size() const { return size_; }
  std::string_view view() const { return {bytes_, size_}; }

 private:
  void Head(uint16_t code, size_t length);

  char bytes_[256 + kNsidBytesMax + kPaddingBlock];
  size_t size_ = 0;
};

enum : uint16_t {
  kOptionNsid = 3,
  kOptionExpire = 9,
  kOptionCookie = 10,
  kOptionKeepalive = 11,
  kOptionPadding = 12,
  kOptionExtendedError = 15,
  kOptionZoneVersion = 19,
};

}  // namespace quorate::serve

#include "wire/name.h"

#include <cstring>

#include "wire/endian.h"

namespace quorate::wire {

Result<size_t, WireError> DecodeName(Bytes message, size_t offset, NameBuffer& out) {
  size_t at = offset, run_start = offset, used = 0;
  std::optional<size_t> behind;
  for (;;) {
    if (at >= message.size()) return WireError{WireFault::kTruncated, at};
    const uint8_t length = message[at];
    if (length <= kLabelBytesMax) {
      if (at + 1 + length > message.size()) return WireError{WireFault::kTruncated, at};
      if (used + 1 + length > kNameBytesMax) return WireError{WireFault::kNameTooLong, at};
      std::memcpy(out.bytes + used, &message[at], 1u + length);
      used += 1u + length;
      at += 1u + length;
      if (length > 0) continue;
      out.size = static_cast<uint8_t>(used);
      return behind.value_or(at);
    }
    if ((length & 0xc0) != 0xc0) return WireError{WireFault::kBadLabel, at};
    if (at + 2 > message.size()) return WireError{WireFault::kTruncated, at};
    const size_t target = LoadU16(&message[at]) & 0x3fff;
    if (target >= run_start) return WireError{WireFault::kBadPointer, at};
    if (!behind) behind = at + 2;
    at = run_start = target;
  }
}

Result<size_t, WireError> SkipPlainName(Bytes message, size_t offset) {
  size_t at = offset;
  for (;;) {
    if (at >= message.size()) return WireError{WireFault::kTruncated, at};
    const uint8_t length = message[at];
    if (length > kLabelBytesMax)
      return WireError{(length & 0xc0) == 0xc0 ? WireFault::kBadPointer : WireFault::kBadLabel, at};
    at += 1u + length;
    if (at - offset > kNameBytesMax) return WireError{WireFault::kNameTooLong, at};
    if (length == 0) return at;
  }
}

Result<size_t, WireError> SkipName(Bytes message, size_t offset) {
  size_t at = offset;
  for (;;) {
    if (at >= message.size()) return WireError{WireFault::kTruncated, at};
    const uint8_t length = message[at];
    if ((length & 0xc0) == 0xc0) {
      if (at + 2 > message.size()) return WireError{WireFault::kTruncated, at};
      if ((LoadU16(&message[at]) & 0x3fffu) >= offset) return WireError{WireFault::kBadPointer, at};
      return at + 2;
    }
    if (length > kLabelBytesMax) return WireError{WireFault::kBadLabel, at};
    at += 1u + length;
    if (at - offset > kNameBytesMax) return WireError{WireFault::kNameTooLong, at};
    if (length == 0) return at;
  }
}

}  // namespace quorate::wire

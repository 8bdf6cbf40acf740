// What can be wrong with bytes from the network. Never a CHECK: it is the peer's fault.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace quorate::wire {

using Bytes = std::span<const uint8_t>;

enum class WireFault : uint8_t {
  kTruncated,    // ends before it should
  kBadLabel,     // label type 0x40 or 0x80 (RFC 1035 4.1.4)
  kBadPointer,   // a compression pointer that does not go strictly backwards
  kNameTooLong,  // over 255 octets (RFC 1035 3.1)
  kBadRdata,     // RDLENGTH does not fit the type
  kBadOpt,  // an OPT record that is not at the root, not in the additional section, or is malformed inside
  kDuplicateOpt,   // more than one OPT (RFC 6891 6.1.1)
  kTrailingBytes,  // bytes after the last record
  kBadCount,       // section counts that the opcode does not allow (RFC 9619)
  kTooLarge,       // does not fit the space there is
};

struct WireError {
  WireFault fault = WireFault::kTruncated;
  size_t offset = 0;  // into the message
  bool operator==(const WireError&) const = default;
};

constexpr std::string_view FaultText(WireFault fault) {
  switch (fault) {
    case WireFault::kTruncated:
      return "the message ends too early";
    case WireFault::kBadLabel:
      return "unknown label type";
    case WireFault::kBadPointer:
      return "a compression pointer that does not go backwards";
    case WireFault::kNameTooLong:
      return "a name of more than 255 octets";
    case WireFault::kBadRdata:
      return "record data that does not fit its type";
    case WireFault::kBadOpt:
      return "a malformed OPT record";
    case WireFault::kDuplicateOpt:
      return "more than one OPT record";
    case WireFault::kTrailingBytes:
      return "bytes after the last record";
    case WireFault::kBadCount:
      return "section counts that are not allowed";
    case WireFault::kTooLarge:
      return "does not fit";
  }
  return "unknown fault";
}

}  // namespace quorate::wire

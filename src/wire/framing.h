// DNS over TCP: each message behind its length in two octets (RFC 1035 4.2.2, RFC 7766 8).
#pragma once

#include <cstdint>
#include <optional>

#include "wire/endian.h"
#include "wire/error.h"

namespace quorate::wire {

inline constexpr size_t kFrameHeaderBytes = 2;

// The first message of a stream of which `received` has come so far; nullopt: not all of it yet. Behind it
// the stream goes on at kFrameHeaderBytes + size().
inline std::optional<Bytes> FirstFrame(Bytes received) {
  if (received.size() < kFrameHeaderBytes) return std::nullopt;
  const size_t length = LoadU16(received.data());
  if (received.size() - kFrameHeaderBytes < length) return std::nullopt;
  return received.subspan(kFrameHeaderBytes, length);
}

}  // namespace quorate::wire

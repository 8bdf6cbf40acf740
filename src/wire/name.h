// Names inside a message, with their compression pointers (RFC 1035 3.1, 4.1.4).
#pragma once

#include <cstdint>
#include <optional>

#include "base/result.h"
#include "dns/name.h"
#include "wire/error.h"

namespace quorate::wire {

inline constexpr size_t kNameBytesMax = 255;
inline constexpr size_t kLabelBytesMax = 63;

// A decoded name in memory of its own: no allocation.
struct NameBuffer {
  uint8_t size = 0;
  char bytes[kNameBytesMax];
  dns::NameView view() const { return {bytes, size}; }
};

// Decodes the name at `offset` into `out` and returns the offset just behind it (behind its first pointer, if
// it has one). A pointer must go to before the labels that led to it, so that every walk ends.
Result<size_t, WireError> DecodeName(Bytes message, size_t offset, NameBuffer& out);

// The offset behind an *uncompressed* name at `offset`; a pointer is kBadPointer. For the question, whose
// name can point nowhere but into the header.
Result<size_t, WireError> SkipPlainName(Bytes message, size_t offset);

// The offset behind a name whose content does not matter. Pointers are not followed, but must point
// backwards.
Result<size_t, WireError> SkipName(Bytes message, size_t offset);

}  // namespace quorate::wire

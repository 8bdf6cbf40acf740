#include "base/bytes.h"

namespace quorate {

void ByteWriter::Varint(uint64_t v) {
  while (v >= 0x80) {
    U8(static_cast<uint8_t>(v | 0x80));
    v >>= 7;
  }
  U8(static_cast<uint8_t>(v));
}

uint64_t ByteReader::Fixed(size_t n) {
  const std::string_view bytes = Raw(n);
  uint64_t v = 0;
  for (size_t i = 0; i < bytes.size(); ++i) v |= uint64_t{static_cast<uint8_t>(bytes[i])} << (8 * i);
  return v;
}

uint64_t ByteReader::Varint() {
  uint64_t v = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    const uint8_t byte = U8();
    if (!ok_) return 0;
    if (shift == 63 && byte > 1) break;
    v |= uint64_t{byte & 0x7fu} << shift;
    if (byte < 0x80) return v;
  }
  Fail();
  return 0;
}

std::string_view ByteReader::Raw(size_t n) {
  if (n > in_.size()) {
    Fail();
    return {};
  }
  const std::string_view bytes = in_.substr(0, n);
  in_.remove_prefix(n);
  return bytes;
}

size_t ByteReader::Count(size_t bytes_each) {
  const uint64_t n = Varint();
  if (n > in_.size() / bytes_each) {
    Fail();
    return 0;
  }
  return static_cast<size_t>(n);
}

}  // namespace quorate

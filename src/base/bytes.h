// Bytes out and in, for everything that is kept on disk, replicated or sent between replicas. Little-endian
// fixed integers, LEB128 varints, length-prefixed strings. (DNS messages are wire/'s business.)
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate {

class ByteWriter {
 public:
  ByteWriter() = default;
  explicit ByteWriter(size_t reserve) { out_.reserve(reserve); }

  void U8(uint8_t v) { out_.push_back(static_cast<char>(v)); }
  void U16(uint16_t v) { Fixed(v, 2); }
  void U32(uint32_t v) { Fixed(v, 4); }
  void U64(uint64_t v) { Fixed(v, 8); }
  void Varint(uint64_t v);
  void Raw(std::string_view bytes) { out_.append(bytes); }
  // varint length, then the bytes
  void String(std::string_view bytes) {
    Varint(bytes.size());
    out_.append(bytes);
  }

  const std::string& str() const { return out_; }
  std::string Take() { return std::move(out_); }

 private:
  void Fixed(uint64_t v, int n) {
    for (int i = 0; i < n; ++i) out_.push_back(static_cast<char>(v >> (8 * i)));
  }
  std::string out_;
};

// Reads what ByteWriter wrote. A read past the end, or a malformed varint, makes ok() false for good; from
// then on every read gives zero or empty, so a caller may read a whole record and test ok() once at its end.
// String() and Raw() give views into the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view in) : in_(in) {}

  uint8_t U8() { return static_cast<uint8_t>(Fixed(1)); }
  uint16_t U16() { return static_cast<uint16_t>(Fixed(2)); }
  uint32_t U32() { return static_cast<uint32_t>(Fixed(4)); }
  uint64_t U64() { return Fixed(8); }
  uint64_t Varint();
  std::string_view Raw(size_t n);
  std::string_view String() { return Raw(Varint()); }
  // A count of things that take at least `bytes_each`: one larger than the rest of the input could hold
  // fails, so that nobody reserves memory by a hostile number.
  size_t Count(size_t bytes_each = 1);

  bool ok() const { return ok_; }
  size_t remaining() const { return in_.size(); }
  // Everything was read, and well-formed.
  bool AtEnd() const { return ok_ && in_.empty(); }
  void Fail() { ok_ = false, in_ = {}; }

 private:
  uint64_t Fixed(size_t n);
  std::string_view in_;
  bool ok_ = true;
};

}  // namespace quorate

// What both halves of the codec read and write. Private to this folder.
#pragma once

#include <memory>
#include <string>

#include "base/bytes.h"
#include "base/check.h"
#include "raft/codec.h"

namespace quorate::raft {

template <class Strong>
Strong ReadNumber(ByteReader& in) {
  const uint64_t v = in.Varint();
  if (v > kNumberMax) in.Fail();
  return Strong{v};
}

inline bool ReadBool(ByteReader& in) {
  const uint8_t v = in.U8();
  if (v > 1) in.Fail();
  return v == 1;
}

inline void WriteDuration(Duration duration, ByteWriter& out) {
  CHECK_GE(duration.count(), 0);
  out.Varint(static_cast<uint64_t>(duration.count()));
}
inline Duration ReadDuration(ByteReader& in) {
  return Duration(static_cast<int64_t>(ReadNumber<LogIndex>(in).value));
}

void WriteConfiguration(const Configuration& configuration, ByteWriter& out);
Configuration ReadConfiguration(ByteReader& in);

}  // namespace quorate::raft

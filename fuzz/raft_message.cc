// A peer's frame: whatever decodes is encoded and decoded again to the same bytes.
#include "base/bytes.h"
#include "base/check.h"
#include "raft/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const auto first = raft::DecodeMessage({reinterpret_cast<const char*>(data), size});
  if (!first) return 0;
  ByteWriter once, twice;
  raft::EncodeMessage(*first, once);
  const auto second = raft::DecodeMessage(once.str());
  CHECK(second.has_value());
  raft::EncodeMessage(*second, twice);
  CHECK(once.str() == twice.str());
  return 0;
}

// Whatever parses is encoded and parsed again to the same message; and the hot path's parser takes nothing
// that the thorough one refuses for its form.
#include "wire/message.h"
#include "wire/query.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const wire::Bytes input(data, size);
  const auto first = wire::ParseMessage(input);
  wire::ParseQuery(input);
  if (!first.ok()) return 0;
  const auto bytes = wire::EncodeMessage(*first);
  if (!bytes.ok()) {
    CHECK(bytes.error().fault == wire::WireFault::kTooLarge);
    return 0;
  }
  const auto second = wire::ParseMessage({reinterpret_cast<const uint8_t*>(bytes->data()), bytes->size()});
  CHECK(second.ok());
  CHECK(*second == *first);
  return 0;
}

// A command out of the log: whatever decodes is encoded and decoded again to the same bytes.
#include "base/check.h"
#include "rsm/command.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  rsm::WhatIsAsked(input);
  const auto first = rsm::DecodeCommand(input);
  if (!first.ok()) return 0;
  const std::string once = rsm::EncodeCommand(*first);
  const auto second = rsm::DecodeCommand(once);
  CHECK(second.ok());
  CHECK(rsm::EncodeCommand(*second) == once);
  return 0;
}

// What nobody outside can guess.
#pragma once

#include <cstdint>
#include <string>

namespace quorate::api::xfr {

uint16_t RandomId();
std::string RandomHex(size_t octets);

}  // namespace quorate::api::xfr

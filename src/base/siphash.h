// SipHash-2-4 (Aumasson, Bernstein 2012). Pure; no allocation.
#pragma once

#include <array>
#include <cstdint>
#include <span>

namespace quorate {

uint64_t SipHash24(const std::array<uint8_t, 16>& key, std::span<const uint8_t> data);

}  // namespace quorate

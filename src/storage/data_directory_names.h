// What lies in a data directory beside `identity`, `lock`, `wal` and `state` (docs/formats.md).
#pragma once

namespace quorate::storage {

inline constexpr const char* kReserveName = "reserve";
inline constexpr const char* kDamageName = "damage";
inline constexpr const char* kDamagedPrefix = "damaged-";

}  // namespace quorate::storage

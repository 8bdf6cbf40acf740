// How an encoded command begins to say what it is (docs/formats-commands.md).
#pragma once

#include <cstdint>

namespace quorate::rsm {

// The first byte of a command. A higher one needs a newer feature level. What has nothing of sessions is
// written as the first.
inline constexpr uint8_t kCommandVersion = 1, kCommandVersionOfSessions = 2;
enum class CommandTag : uint8_t {
  kKvTxn = 1,
  kKvCompact = 2,
  kZoneCreate = 3,
  kZoneReplace = 4,
  kZoneDelete = 5,
  kZoneChange = 6,
  kSeed = 7,
  kZoneSettings = 8,
  kSessionOpen = 9,
  kSessionClose = 10,
};

}  // namespace quorate::rsm

// How an encoded command begins to say what it is (docs/formats-commands.md).
#pragma once

#include <cstdint>

namespace quorate::rsm {

// The first byte of a command. A higher one needs a newer feature level. Each command is written as the
// lowest that has it.
inline constexpr uint8_t kCommandVersion = 1, kCommandVersionOfSessions = 2, kCommandVersionOfDns = 3;
// Of the group, for the commands of kCommandVersionOfDns.
inline constexpr uint64_t kFeatureLevelOfDns = 3;
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
  kZoneUpdate = 11,
  kSecondaryCreate = 12,
  kZoneTransferIn = 13,
  kZoneChecked = 14,
  kTsigKeyPut = 15,
  kTsigKeyDelete = 16,
  kCookieSecretRoll = 17,
  kZoneStage = 20,
  kZoneReplaceStaged = 21,
};

}  // namespace quorate::rsm

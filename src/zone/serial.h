// How the serial of a zone moves when its content changes and nobody says what it is to become (RFC 1982,
// RFC 2136 3.6).
#pragma once

#include <cstdint>

#include "base/types.h"
#include "dns/rr.h"

namespace quorate::zone {

// Kept in settings: the numbers stay.
enum class SerialPolicy : uint8_t {
  kIncrement = 0,   // the old one plus one
  kUnixTime = 1,    // seconds since 1970, as long as that is newer
  kDateSerial = 2,  // YYYYMMDD00 of the day in UTC, as long as that is newer
};

struct SerialRule {
  SerialPolicy policy = SerialPolicy::kIncrement;
  WallTime now;  // as the group has agreed on; kIncrement does not look at it
};

// Always newer than `old` in the sense of RFC 1982, whatever `now`: what the policy wants where that is
// newer, else the old one plus one. It wraps; 0 is a serial like any other.
dns::Serial NextSerial(dns::Serial old, const SerialRule& rule);

}  // namespace quorate::zone

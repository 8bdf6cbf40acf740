// A signed UPDATE is applied once (RFC 2136 5, RFC 8945 5.4): what it came to is kept for twice its fudge, so
// that who sends it again, anywhere, gets the same answer. Pure.
//   'u' identity -> digest:u64=0 outcome        'v' until:u64be identity -> (empty), in order of expiry
#pragma once

#include <string>
#include <string_view>

#include "rsm/once.h"

namespace quorate::rsm::updates {

once::Known Find(const once::Table& table, std::string_view identity);
// After Find said MayRun.
void Keep(once::Table& table, std::string_view identity, Duration remembered, std::string_view outcome);
// Drops what is over, a few.
void Expire(once::Table& table);

}  // namespace quorate::rsm::updates

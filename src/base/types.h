// Numbers that more than one layer speaks of.
#pragma once

#include <chrono>

#include "base/strong_int.h"

namespace quorate {

using Term = StrongInt<struct TermTag>;          // Raft term; 0 before the first election
using LogIndex = StrongInt<struct LogIndexTag>;  // position in the replicated log; the first entry is 1
using MemberId = StrongInt<struct MemberIdTag>;  // a Raft participant; 0 is nobody
using GroupId = StrongInt<struct GroupIdTag>;    // one Raft group of a deployment; 0 is none
using Revision = StrongInt<struct RevisionTag>;  // of the store, as etcd counts them; an empty store is at 1

using Duration = std::chrono::nanoseconds;

// A reading of one machine's own CLOCK_BOOTTIME. Never compare readings of two machines.
struct BootTime {
  Duration since_boot{0};
  constexpr auto operator<=>(const BootTime&) const = default;
  constexpr BootTime operator+(Duration d) const { return {since_boot + d}; }
  constexpr BootTime operator-(Duration d) const { return {since_boot - d}; }
  constexpr Duration operator-(BootTime other) const { return since_boot - other.since_boot; }
};

inline constexpr BootTime kLongAgo{Duration::min() / 4};  // before any boot, with room to add and subtract
inline constexpr BootTime kNever{Duration::max()};

// Nanoseconds since 1970, as CLOCK_REALTIME tells. May jump either way: never orders anything.
struct WallTime {
  Duration since_epoch{0};
  constexpr auto operator<=>(const WallTime&) const = default;
};

}  // namespace quorate

// Exactly once by a key that the client makes up: the outcome of a keyed command is kept in the replicated
// map for kKeyLifetime of group time, and never for less. Pure.
//   's' key                     -> digest:u64 outcome
//   't' group_time:u64be key    -> (empty), in order of expiry
// A *dated* key, "gt-<group time in ms>-<anything>", is safe for ever: one that is not kept and is too old to
// be kept is answered "unknown", where any other key would count as new.
#pragma once

#include <string>
#include <string_view>

#include "rsm/once.h"

namespace quorate::rsm::keys {

// A dated key may be ahead of the group's time by this much: it is made by another replica's clock reading.
inline constexpr Duration kDateAheadMax = std::chrono::minutes(1);

// The date of a dated key; nullopt: it is none.
std::optional<Duration> DateOf(std::string_view key);
std::string DatedKey(Duration group_time, std::string_view random);

once::Known Find(const once::Table& table, std::string_view key, uint64_t digest);
// After Find said MayRun.
void Keep(once::Table& table, std::string_view key, const once::Kept& kept);
// Drops keys whose lifetime is over, a few.
void Expire(once::Table& table);
// The bytes of all outcomes kept. Reads all of them.
uint64_t BytesKept(const kv::MapReader& map);

}  // namespace quorate::rsm::keys

// Exactly once (dissertation 6.3): what came of the commands that carried an idempotency key, kept in the
// replicated map until it expires by group time. Pure: looks into the map, and says what to write.
//   's' key                     -> digest:u64 outcome
//   't' group_time:u64be key    -> (empty), in order of expiry
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"
#include "kv/ordered_map.h"

namespace quorate::rsm::sessions {

struct Kept {
  uint64_t digest = 0;  // of the command that used the key
  std::string outcome;
};
std::optional<Kept> Find(const kv::MapReader& map, std::string_view key);

// Remembers an outcome.
void Keep(std::string_view key, const Kept& kept, Duration group_time, kv::MapBatch& batch);

// Drops at most `most` sessions: those older than `lifetime` at `now`, and the oldest while more than
// `capacity` of `count` are kept. Gives how many.
struct Bounds {
  Duration lifetime;
  uint64_t capacity = 0;
};
uint64_t Expire(const kv::MapReader& map, Duration now, uint64_t count, const Bounds& bounds, uint64_t most,
                kv::MapBatch& batch);

}  // namespace quorate::rsm::sessions

// What idempotency keys and client sessions have in common: what is kept, how much of it, what is known of a
// request before it runs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

#include "base/limits.h"
#include "base/types.h"
#include "kv/ordered_map.h"
#include "rsm/api.h"
#include "rsm/outcome.h"

namespace quorate::rsm::once {

// How much is kept; in the applied mark, so that replicas agree on when it is full.
struct Counts {
  uint64_t keys = 0, sessions = 0, bytes = 0;  // bytes of outcomes
};

// The same at every replica of a group. Full refuses what is new.
struct Bounds {
  uint64_t keys = limits::kIdempotencyKeysMax;
  uint64_t sessions = limits::kClientSessionsMax;
  uint64_t outcomes_per_session = limits::kSessionOutcomesMax;
  uint64_t bytes = limits::kKeptOutcomesBytesMax;
};

// One command's look at what is kept. Reads see the map as it was before the command; writes are collected.
struct Table {
  const kv::MapReader& map;
  const Bounds& bounds;
  const Duration now;  // group time of the command
  Counts& counts;
  kv::MapBatch& batch;
};

struct Refusal {
  Refused why;
  std::string reason;
};
struct MayRun {};
// Before a command runs: it did already, it must not, or it may.
using Known = std::variant<MayRun, Outcome, Refusal>;

// An outcome with the digest of the command that it is of.
struct Kept {
  uint64_t digest = 0;
  std::string_view outcome;
};
std::string EncodeKept(const Kept& kept);
// The outcome, if what is kept is of the same command. Bytes of our own map: never malformed.
Known Compare(std::string_view kept, uint64_t digest);
size_t OutcomeBytes(std::string_view kept);

inline constexpr uint64_t kExpirePerCommand = 64;  // map keys that one command removes at most

}  // namespace quorate::rsm::once

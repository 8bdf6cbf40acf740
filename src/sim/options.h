// What to simulate.
#pragma once

#include <cstdint>

#include "base/types.h"

namespace quorate::sim {

inline constexpr uint64_t kMembers = 3;

// Deliberate bugs of the simulated shell, to prove that the checks can fail.
enum class Mutation : uint8_t {
  kNone,
  kAckBeforeSync,       // the log thread reports a write before it is on disk
  kSkipApply,           // one member now and then applies nothing for a command
  kForgetSessions,      // commands are applied without their idempotency keys, at every member
  kReadWithoutBarrier,  // reads are answered from what is applied here
};

struct Options {
  uint64_t seed = 1;
  Duration chaos = std::chrono::seconds(10);  // how long faults go on; then everything must come right
  uint64_t steps_max = 0;                     // 0: no bound
  Mutation mutation = Mutation::kNone;
  bool verbose = false;
};

}  // namespace quorate::sim

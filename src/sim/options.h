// What to simulate.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/types.h"
#include "sim/profile.h"

namespace quorate::sim {

struct Options {
  uint64_t seed = 1;
  std::optional<ShapeKind> shape;  // nullopt: the seed draws it, from what the profile allows
  std::optional<Duration> chaos;   // how long faults go on; then everything must come right
  uint64_t steps_max = 0;          // 0: no bound
  std::string mutant;              // a deliberate bug (mutants.h); empty: none
  Profile profile;
  bool verbose = false;
};

}  // namespace quorate::sim

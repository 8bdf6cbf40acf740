// Deliberate bugs, to prove that the checks can fail: each is a SIM_MUTANT (base/sim_hooks.h) somewhere in
// the product's code as the simulator builds it, or in the simulator's own shell.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sim/profile.h"

namespace quorate::sim {

struct Mutant {
  std::string_view name;
  std::string_view what;                // is broken
  Profile profile;                      // in which it shows soon
  std::vector<std::string> properties;  // any of which may catch it; a CHECK of the product does too
};

// Each must be caught within so many seeds of its profile.
inline constexpr uint64_t kMutantSeeds = 100;

std::span<const Mutant> Mutants();
const Mutant* FindMutant(std::string_view name);

}  // namespace quorate::sim

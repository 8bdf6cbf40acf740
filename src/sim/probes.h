// The rare paths that a long enough run must have been on (SIM_PROBE, base/sim_hooks.h). Any other probe is
// only counted.
#pragma once

#include <span>
#include <string_view>

namespace quorate::sim {

// In order of their names.
std::span<const std::string_view> RequiredProbes();

}  // namespace quorate::sim

// One run of the simulated group from one seed.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sim/options.h"
#include "sim/world.h"
#include "testing/operation.h"

namespace quorate::sim {

struct Report {
  std::optional<Violation> violation;
  uint64_t trace_hash = 0;
  std::vector<std::string> last_lines;  // of the trace
  std::vector<testing::Operation> history;
  uint64_t steps = 0;
  size_t acknowledged = 0, reads = 0, applied = 0, leaders = 0, crashes = 0, snapshots = 0;
  Duration simulated{0};
};

// Switches the mutant of `options` on for the whole process (base/sim_hooks.h): one at a time.
Report Simulate(const Options& options);

}  // namespace quorate::sim

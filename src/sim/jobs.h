// Many seeds in several processes. What comes out does not depend on how many.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sim/simulation.h"

namespace quorate::sim {

// A CHECK of the product, or a crash, ends the process that runs the seed: that is this property.
inline constexpr char kCheckFailed[] = "CHECK";

struct SeedsToRun {
  uint64_t first = 1, count = 1;
  unsigned jobs = 1;
  bool twice = false;      // each seed, and compare the traces
  double seconds_max = 0;  // begin no seed after that; 0: no bound
  // Violations of other properties do not end the run. Empty: any violation does.
  std::vector<std::string> properties;
};

struct Failure {
  uint64_t seed = 0;
  std::string property;
  std::string text;  // the detail and the last of the trace
};

struct RunResult {
  uint64_t seeds = 0;
  // Sums of Report's.
  uint64_t acknowledged = 0, reads = 0, leaders = 0, crashes = 0, snapshots = 0;
  Duration simulated{0};
  std::map<std::string, uint64_t> probes;
  std::optional<Failure> failure;  // that of the lowest seed
  std::map<std::string, uint64_t> other_violations;
};

// Forks; the caller has one thread.
RunResult RunSeeds(const Options& options, const SeedsToRun& seeds);

}  // namespace quorate::sim

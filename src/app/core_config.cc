#include "app/core_config.h"

#include <random>

#include "raft/codec.h"

namespace quorate::app {

absl::StatusOr<raft::CoreConfig> CoreConfigFor(const ServeOptions& options,
                                               const storage::Identity& identity) {
  raft::CoreConfig core;
  core.self = identity.member;
  core.incarnation = identity.incarnation;
  core.seed = std::random_device()();
  core.feature_level = options.feature_level;
  if (options.feature_level >= 2) {
    core.instance = identity.instance;
    core.repairs = identity.repairs;
  } else if (identity.repairs != 0) {
    return absl::FailedPreconditionError(
        "this replica lost its log and has to be repaired, which needs --feature-level 2");
  }
  const raft::Timing timing = BootstrapTiming(options);
  core.heartbeat_interval = timing.heartbeat;
  core.election_timeout_min = timing.election_min;
  core.election_timeout_max = timing.election_max;
  core.initial_timing = timing;
  core.initial_leases = options.leases;
  return core;
}

uint8_t MessageVersionOf(uint64_t feature_level) {
  return feature_level >= 2 ? raft::kMessageVersion : raft::kMessageVersionMin;
}

}  // namespace quorate::app

// What consensus is told of this process.
#pragma once

#include "absl/status/statusor.h"
#include "app/serve_config.h"
#include "raft/core.h"
#include "storage/data_directory.h"

namespace quorate::app {

// Of the member that the directory is assigned to. kFailedPrecondition: the feature level that was asked for
// is too low for what the directory went through.
absl::StatusOr<raft::CoreConfig> CoreConfigFor(const ServeOptions& options,
                                               const storage::Identity& identity);

// Of messages (raft/codec.h): a program of level 1 speaks the one before members had instances.
uint8_t MessageVersionOf(uint64_t feature_level);

}  // namespace quorate::app

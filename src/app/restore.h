// A new group out of a snapshot file: one member's data directory, made while nothing runs on it.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/snapshot_summary.h"
#include "base/types.h"

namespace quorate::app {

struct RestoreOptions {
  std::string file;
  std::string data_dir;              // must not be there, or be empty
  uint64_t group_id = 0;             // 0: drawn
  uint64_t replica_id = 0;           // of the member whose directory this is
  std::vector<std::string> members;  // as `serve --members`
};

struct Restored {
  GroupId group;
  SnapshotSummary summary;
};

// Checks all of the file, then makes the directory under another name, durably, and renames it: it is there
// as a whole or not at all. Its state is that of the file but for the configuration, its log begins there.
// kInvalidArgument: the options; kAlreadyExists: the directory is in use; kDataLoss, kFailedPrecondition: the
// file. Blocks.
absl::StatusOr<Restored> Restore(const RestoreOptions& options);

}  // namespace quorate::app

// The replicated log as pre-zeroed segment files. The format, and the argument why a torn tail can be dropped
// and nothing else, is in docs/formats.md "WAL, version 1".
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/api.h"
#include "storage/wal/file_system.h"

namespace quorate::storage {

struct WalOptions {
  size_t segment_bytes =
      size_t{16} << 20;  // rounded up to sectors; a batch that needs more gets a larger segment
  // Segments are made ahead by a thread. Off in the simulator: they are made when needed, on the caller's
  // thread.
  bool prepare_in_background = true;
  // Of the segments' random ids. 0: from the system.
  uint64_t id_seed = 0;
  // This directory held a log before: nothing there is kDataLoss, not a new log.
  bool expect_existing = false;
};

// The log in `directory`, which is made if need be (its parent exists). `files` outlives the log. Another
// process must not have it open: that is the data directory's lock to see to. Errors of Recover() name file
// and offset. kResourceExhausted from Write() or Compact(): the disk is full; nothing that was acknowledged
// is harmed.
absl::StatusOr<std::unique_ptr<LogStore>> OpenWal(FileSystem& files, std::string directory,
                                                  const WalOptions& options);

}  // namespace quorate::storage

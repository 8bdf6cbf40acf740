// Reads a log directory, judges its end, and makes that end safe to write after. docs/formats.md "Reading,
// and what is torn".
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "storage/api.h"
#include "storage/wal/file_system.h"
#include "storage/wal/record.h"
#include "storage/wal/scan.h"

namespace quorate::storage::wal {

std::string SegmentPath(const std::string& directory, uint64_t number);

struct SegmentUse {
  uint64_t number = 0;
  size_t bytes = 0;  // written, not prepared
};

struct Recovered {
  RecoveredLog log;
  Position position;
  std::vector<SegmentUse> segments;  // lowest first; empty: a new log
  SegmentLasts lasts;                // of `segments`
  // What the next batch continues.
  uint64_t segment_id = 0;
  uint64_t next_batch = 1;
  uint32_t chain = 0;
  // The segment to write on in, from `next_sector`. 0: it is empty, and not one of `segments` yet.
  std::unique_ptr<File> file;  // null: a new log
  size_t file_bytes = 0;
  uint64_t next_sector = 0;
};

// All that was found is durable on return, and what was torn is gone from the disk. `expect_existing`: see
// WalOptions.
absl::StatusOr<Recovered> RecoverDirectory(FileSystem& files, const std::string& directory,
                                           bool expect_existing);

}  // namespace quorate::storage::wal

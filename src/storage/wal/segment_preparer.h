// Makes segments ahead of need: a file of zeros, synced, so that writing to it later is one data write.
#pragma once

#include <future>
#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/wal/file_system.h"

namespace quorate::storage::wal {

struct PreparedFile {
  std::unique_ptr<File> file;
  size_t bytes = 0;
};

// Used by the log's thread alone.
class SegmentPreparer {
 public:
  // In the background: on a thread of its own, one at a time. Otherwise when it is taken.
  SegmentPreparer(FileSystem& files, std::string directory, size_t segment_bytes, bool background);

  // Starts on the next segment unless that was done. Does not block.
  void Prepare();
  // A segment of at least `bytes_min`, named `path`, durable with its name. Blocks until it is there. Any
  // error: nothing has changed but the spare file.
  absl::StatusOr<PreparedFile> Take(const std::string& path, size_t bytes_min);

 private:
  absl::StatusOr<PreparedFile> MakeSpare(size_t bytes);

  FileSystem& files_;
  const std::string directory_;
  const std::string spare_;
  const size_t segment_bytes_;
  const bool background_;
  std::future<absl::StatusOr<PreparedFile>> next_;  // last: its thread uses the rest
};

inline constexpr const char* kSpareName = "spare.tmp";

}  // namespace quorate::storage::wal

// The little that the log asks of a file system, so that the same log runs over a real disk and a simulated
// one.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quorate::storage {

// An open file, read and written at offsets. Blocks. One thread at a time; closed with the object.
class File {
 public:
  virtual ~File() = default;
  // All of `bytes`, or an error; after an error any part of them may be there.
  virtual absl::Status WriteAt(uint64_t offset, std::string_view bytes) = 0;
  // What was written is durable. After an error nothing is known of any write since the last good Sync, for
  // good.
  virtual absl::Status Sync() = 0;
  virtual absl::StatusOr<std::string> ReadAll() const = 0;
};

// Paths are as given to the constructor of whoever uses this. Errors name the path and the cause, with the
// codes of absl::ErrnoToStatus (kResourceExhausted: the disk is full). Any thread.
class FileSystem {
 public:
  virtual ~FileSystem() = default;
  // A new, empty file; one of that name is replaced.
  virtual absl::StatusOr<std::unique_ptr<File>> Create(const std::string& path) = 0;
  virtual absl::StatusOr<std::unique_ptr<File>> Open(const std::string& path) = 0;
  // Names, sorted. kNotFound: no such directory.
  virtual absl::StatusOr<std::vector<std::string>> List(const std::string& directory) const = 0;
  // Durable on return. Fine if it is there already.
  virtual absl::Status CreateDirectory(const std::string& path) = 0;
  virtual absl::Status Rename(const std::string& from, const std::string& to) = 0;
  virtual absl::Status Remove(const std::string& path) = 0;
  // Creations, renames and removals in `directory` are durable.
  virtual absl::Status SyncDirectory(const std::string& directory) = 0;
};

}  // namespace quorate::storage

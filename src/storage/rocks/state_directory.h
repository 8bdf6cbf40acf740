// Which of the numbered databases in a state directory is the one. docs/formats.md "Data directory".
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quorate::storage::rocks {

class StateDirectory {
 public:
  // Makes the directory, reads CURRENT or begins with number 1, removes all other databases.
  static absl::StatusOr<StateDirectory> Open(const std::string& path);

  uint64_t current() const { return current_; }
  std::string PathOf(uint64_t number) const;
  // A number that no database has.
  uint64_t NewNumber() { return ++last_; }
  // `number` is the one from now on, durably. It is complete and synced.
  absl::Status Switch(uint64_t number);

 private:
  explicit StateDirectory(std::string path) : path_(std::move(path)) {}
  absl::Status ReadCurrent();
  absl::Status RemoveLeftovers();

  std::string path_;
  uint64_t current_ = 0;
  uint64_t last_ = 0;
};

// With all that is in it. Not being there is fine.
absl::Status RemoveTree(const std::string& path);

}  // namespace quorate::storage::rocks

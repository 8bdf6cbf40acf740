// Where the Oracle keeps its state: DIR/oracle.json, replaced whole and durably at every change.
#pragma once

#include <string>

#include "absl/status/statusor.h"
#include "oracle/deployment.h"

namespace quorate::oracle {

class StateFile {
 public:
  // Makes `dir` if it is missing and takes its lock, so that two Oracles never share a state. The errors name
  // the directory and what to do.
  static absl::StatusOr<StateFile> Open(const std::string& dir);
  StateFile(StateFile&& other) noexcept;
  StateFile& operator=(StateFile&&) = delete;
  ~StateFile();

  // An empty deployment when there is no file yet. Never a guess: a file that cannot be understood is an
  // error.
  absl::StatusOr<Deployment> Load() const;

  // Durable when it returns OK (write beside, fsync, rename, fsync of the directory). On an error the old
  // state is still in force, unless the last fsync failed: then it may be either. Blocks for the disk.
  absl::Status Save(const Deployment& deployment) const;

 private:
  StateFile(std::string dir, int lock_fd) : dir_(std::move(dir)), lock_fd_(lock_fd) {}
  std::string path() const { return dir_ + "/oracle.json"; }

  std::string dir_;
  int lock_fd_;
};

}  // namespace quorate::oracle

#include "oracle/state_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <utility>

#include "base/status_macros.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

// `what` went wrong with `path`, as errno says.
absl::Status SystemError(const char* what, const std::string& path) {
  return absl::InternalError(fmt::format("cannot {} {}: {}", what, path, std::strerror(errno)));
}

class File {
 public:
  File(const std::string& path, int flags) : fd_(open(path.c_str(), flags | O_CLOEXEC, 0644)) {}
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  ~File() {
    if (fd_ >= 0) close(fd_);
  }
  bool ok() const { return fd_ >= 0; }

  bool Write(const std::string& bytes) const {
    for (size_t written = 0; written < bytes.size();) {
      const ssize_t n = write(fd_, bytes.data() + written, bytes.size() - written);
      if (n < 0 && errno != EINTR) return false;
      if (n > 0) written += static_cast<size_t>(n);
    }
    return true;
  }
  bool Sync() const { return fsync(fd_) == 0; }
  int Release() { return std::exchange(fd_, -1); }
  int fd() const { return fd_; }

 private:
  int fd_;
};

}  // namespace

absl::StatusOr<StateFile> StateFile::Open(const std::string& dir) {
  std::error_code error;
  std::filesystem::create_directories(dir, error);
  if (error) {
    return absl::InvalidArgumentError(
        fmt::format("cannot make the state directory {}: {}", dir, error.message()));
  }
  File lock(dir + "/LOCK", O_RDWR | O_CREAT);
  if (!lock.ok()) return SystemError("open", dir + "/LOCK");
  if (flock(lock.fd(), LOCK_EX | LOCK_NB) != 0) {
    return absl::FailedPreconditionError(
        fmt::format("another Oracle uses the state directory {}: stop it, or give another --data", dir));
  }
  return StateFile(dir, lock.Release());
}

StateFile::StateFile(StateFile&& other) noexcept
    : dir_(std::move(other.dir_)), lock_fd_(std::exchange(other.lock_fd_, -1)) {}

StateFile::~StateFile() {
  if (lock_fd_ >= 0) close(lock_fd_);
}

absl::StatusOr<Deployment> StateFile::Load() const {
  if (!std::filesystem::exists(path())) return Deployment{};
  std::ifstream in(path(), std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  if (!in) return SystemError("read", path());
  absl::StatusOr<Deployment> deployment = DecodeState(text.str());
  if (!deployment.ok()) {
    return absl::Status(deployment.status().code(), fmt::format("the Oracle's state {} cannot be used: {}",
                                                                path(), MessageOf(deployment.status())));
  }
  return deployment;
}

absl::Status StateFile::Save(const Deployment& deployment) const {
  const std::string beside = path() + ".new";
  {
    const File file(beside, O_WRONLY | O_CREAT | O_TRUNC);
    if (!file.ok()) return SystemError("open", beside);
    if (!file.Write(EncodeState(deployment))) return SystemError("write", beside);
    if (!file.Sync()) return SystemError("sync", beside);
  }
  if (rename(beside.c_str(), path().c_str()) != 0) return SystemError("rename", beside);
  const File directory(dir_, O_RDONLY | O_DIRECTORY);
  if (!directory.ok() || !directory.Sync()) return SystemError("sync", dir_);
  return absl::OkStatus();
}

}  // namespace quorate::oracle

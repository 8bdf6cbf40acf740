#include "storage/atomic_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>

#include "absl/strings/str_cat.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"

namespace quorate::storage {
namespace {

constexpr size_t kSmallFileBytesMax = 64 << 10;

absl::Status Failed(DiskFault fault, absl::string_view what, const std::string& path) {
  return DiskError(fault, errno, absl::StrCat("cannot ", what, " ", path));
}

// Closes on every way out.
class Descriptor {
 public:
  Descriptor(const std::string& path, int flags) : fd_(::open(path.c_str(), flags | O_CLOEXEC, 0640)) {}
  ~Descriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  Descriptor(const Descriptor&) = delete;
  int get() const { return fd_; }

 private:
  const int fd_;
};

absl::Status WriteSynced(const std::string& path, std::string_view content) {
  const Descriptor file(path, O_WRONLY | O_CREAT | O_TRUNC);
  if (file.get() < 0) return Failed(DiskFault::kWrite, "create", path);
  while (!content.empty()) {
    const ssize_t n = ::write(file.get(), content.data(), content.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(DiskFault::kWrite, "write", path);
    content.remove_prefix(static_cast<size_t>(n));
  }
  return ::fsync(file.get()) == 0 ? absl::OkStatus() : Failed(DiskFault::kSync, "sync", path);
}

}  // namespace

absl::Status ReplaceFile(const std::string& path, std::string_view content) {
  const std::string temporary = path + ".tmp";
  RETURN_IF_ERROR(WriteSynced(temporary, content));
  if (std::rename(temporary.c_str(), path.c_str()) != 0)
    return Failed(DiskFault::kWrite, "rename", temporary);
  const size_t slash = path.find_last_of('/');
  return SyncDirectory(slash == std::string::npos ? "." : path.substr(0, slash));
}

absl::StatusOr<std::string> ReadSmallFile(const std::string& path) {
  const Descriptor file(path, O_RDONLY);
  if (file.get() < 0) return Failed(DiskFault::kRead, "open", path);
  std::string content(kSmallFileBytesMax, '\0');
  size_t done = 0;
  while (done < content.size()) {
    const ssize_t n = ::read(file.get(), content.data() + done, content.size() - done);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed(DiskFault::kRead, "read", path);
    if (n == 0) break;
    done += static_cast<size_t>(n);
  }
  content.resize(done);
  return content;
}

absl::Status SyncDirectory(const std::string& directory) {
  const Descriptor dir(directory, O_RDONLY | O_DIRECTORY);
  if (dir.get() < 0) return Failed(DiskFault::kSync, "open directory", directory);
  return ::fsync(dir.get()) == 0 ? absl::OkStatus() : Failed(DiskFault::kSync, "sync directory", directory);
}

}  // namespace quorate::storage

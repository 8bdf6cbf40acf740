#include "storage/wal/posix_file_system.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/disk_fault.h"
#include "base/status_macros.h"

namespace quorate::storage {
namespace {

absl::Status Failed(DiskFault fault, absl::string_view what, const std::string& path) {
  return DiskError(fault, errno, absl::StrCat("cannot ", what, " ", path));
}

class PosixFile final : public File {
 public:
  PosixFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}
  ~PosixFile() override { ::close(fd_); }
  PosixFile(const PosixFile&) = delete;

  absl::Status WriteAt(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      const ssize_t n = ::pwrite(fd_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed(DiskFault::kWrite, "write", path_);
      offset += static_cast<uint64_t>(n);
      bytes.remove_prefix(static_cast<size_t>(n));
    }
    return absl::OkStatus();
  }

  absl::Status Sync() override {
    return ::fdatasync(fd_) == 0 ? absl::OkStatus() : Failed(DiskFault::kSync, "sync", path_);
  }

  absl::StatusOr<std::string> ReadAll() const override {
    struct stat info {};
    if (::fstat(fd_, &info) != 0) return Failed(DiskFault::kRead, "stat", path_);
    std::string out(static_cast<size_t>(info.st_size), '\0');
    size_t done = 0;
    while (done < out.size()) {
      const ssize_t n = ::pread(fd_, out.data() + done, out.size() - done, static_cast<off_t>(done));
      if (n < 0 && errno == EINTR) continue;
      if (n < 0) return Failed(DiskFault::kRead, "read", path_);
      if (n == 0) break;
      done += static_cast<size_t>(n);
    }
    out.resize(done);
    return out;
  }

 private:
  const int fd_;
  const std::string path_;
};

absl::StatusOr<std::unique_ptr<File>> OpenWith(const std::string& path, int flags, absl::string_view what) {
  const int fd = ::open(path.c_str(), O_RDWR | O_CLOEXEC | flags, 0640);
  if (fd < 0) return Failed(DiskFault::kWrite, what, path);
  return std::make_unique<PosixFile>(fd, path);
}

}  // namespace

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::Create(const std::string& path) {
  return OpenWith(path, O_CREAT | O_TRUNC, "create");
}

absl::StatusOr<std::unique_ptr<File>> PosixFileSystem::Open(const std::string& path) {
  return OpenWith(path, 0, "open");
}

absl::StatusOr<std::vector<std::string>> PosixFileSystem::List(const std::string& directory) const {
  DIR* dir = ::opendir(directory.c_str());
  if (dir == nullptr) return Failed(DiskFault::kRead, "list", directory);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(dir)) {
    const std::string_view name = entry->d_name;
    if (name != "." && name != "..") names.emplace_back(name);
  }
  ::closedir(dir);
  std::sort(names.begin(), names.end());
  return names;
}

absl::Status PosixFileSystem::CreateDirectory(const std::string& path) {
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST)
    return Failed(DiskFault::kWrite, "create directory", path);
  RETURN_IF_ERROR(SyncDirectory(path));
  const size_t slash = path.find_last_of('/');
  return SyncDirectory(slash == std::string::npos ? "." : slash == 0 ? "/" : path.substr(0, slash));
}

absl::Status PosixFileSystem::Rename(const std::string& from, const std::string& to) {
  return ::rename(from.c_str(), to.c_str()) == 0 ? absl::OkStatus()
                                                 : Failed(DiskFault::kWrite, "rename", from);
}

absl::Status PosixFileSystem::Remove(const std::string& path) {
  return ::unlink(path.c_str()) == 0 ? absl::OkStatus() : Failed(DiskFault::kWrite, "remove", path);
}

absl::Status PosixFileSystem::SyncDirectory(const std::string& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return Failed(DiskFault::kSync, "open directory", directory);
  const absl::Status status =
      ::fsync(fd) == 0 ? absl::OkStatus() : Failed(DiskFault::kSync, "sync directory", directory);
  ::close(fd);
  return status;
}

}  // namespace quorate::storage

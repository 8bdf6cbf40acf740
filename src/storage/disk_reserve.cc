#include "storage/disk_reserve.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <cerrno>

#include "absl/strings/str_cat.h"
#include "base/disk_fault.h"
#include "storage/data_directory_names.h"

namespace quorate::storage {
namespace {

std::string ReserveOf(const std::string& path) { return absl::StrCat(path, "/", kReserveName); }

}  // namespace

absl::StatusOr<uint64_t> FreeBytes(const std::string& path) {
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) {
    return DiskError(DiskFault::kRead, errno, "cannot see how much room there is at " + path);
  }
  return uint64_t{info.f_bavail} * info.f_frsize;
}

absl::Status EnsureReserve(const std::string& path, uint64_t bytes) {
  const std::string file = ReserveOf(path);
  struct stat info {};
  if (::stat(file.c_str(), &info) == 0 && static_cast<uint64_t>(info.st_size) == bytes) {
    return absl::OkStatus();
  }
  ReleaseReserve(path);
  if (bytes == 0) return absl::OkStatus();
  const int fd = ::open(file.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd < 0) return DiskError(DiskFault::kWrite, errno, "cannot create " + file);
  const int error = ::posix_fallocate(fd, 0, static_cast<off_t>(bytes));
  ::close(fd);
  if (error == 0) return absl::OkStatus();
  ReleaseReserve(path);
  return DiskError(DiskFault::kWrite, error, "cannot keep room back in " + file);
}

bool HasReserve(const std::string& path) { return ::access(ReserveOf(path).c_str(), F_OK) == 0; }

void ReleaseReserve(const std::string& path) { ::unlink(ReserveOf(path).c_str()); }

}  // namespace quorate::storage

#include "cli/output_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <utility>

namespace quorate::cli {

OutputFile::~OutputFile() {
  Close();
  if (part_exists_) unlink(part().c_str());
}

void OutputFile::Close() {
  const int fd = std::exchange(fd_, -1);
  if (fd > STDERR_FILENO) close(fd);
}

bool OutputFile::Failed(const std::string& what) {
  error_ = fmt::format("cannot {} {}: {}", what, is_stdout() ? "stdout" : path_, std::strerror(errno));
  return false;
}

bool OutputFile::Begin() {
  Close();
  if (is_stdout()) {
    fd_ = STDOUT_FILENO;
    return true;
  }
  fd_ = open(part().c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0640);
  if (fd_ < 0) return Failed("write");
  return part_exists_ = true;
}

bool OutputFile::Write(std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = write(fd_, bytes.data(), bytes.size());
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return Failed("write");
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return true;
}

bool OutputFile::Finish() {
  if (is_stdout()) return true;
  if (fsync(fd_) != 0) return Failed("sync");
  Close();
  if (std::rename(part().c_str(), path_.c_str()) != 0) return Failed("rename");
  part_exists_ = false;
  const std::string parent = std::filesystem::absolute(path_).parent_path();
  const int directory = open(parent.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (directory < 0) return Failed("sync the directory of");
  const bool synced = fsync(directory) == 0;
  if (!synced) Failed("sync the directory of");
  close(directory);
  return synced;
}

}  // namespace quorate::cli

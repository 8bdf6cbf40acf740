#include "undo.h"

#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "rules.h"

namespace disk_faults {
namespace {

pthread_mutex_t mu = PTHREAD_MUTEX_INITIALIZER;

bool UndoPath(uint64_t inode, char* out, size_t size) {
  char directory[PATH_MAX];
  RecordDirectory(directory, sizeof(directory));
  if (directory[0] == '\0') return false;
  return snprintf(out, size, "%s/%llu.undo", directory, static_cast<unsigned long long>(inode)) <
         static_cast<int>(size);
}

// By system call: what this library does itself is not to be hurt or recorded.
void WriteAll(int fd, const char* bytes, size_t size) {
  while (size > 0) {
    const long n = syscall(SYS_write, fd, bytes, size);
    if (n <= 0) {
      fprintf(stderr, "disk_faults: cannot record what a power failure would undo\n");
      abort();
    }
    bytes += n;
    size -= static_cast<size_t>(n);
  }
}

}  // namespace

UndoLock::UndoLock() { pthread_mutex_lock(&mu); }
UndoLock::~UndoLock() { pthread_mutex_unlock(&mu); }

bool Recording() {
  char directory[PATH_MAX];
  RecordDirectory(directory, sizeof(directory));
  return directory[0] != '\0';
}

void RecordWrite(int fd, int64_t offset, int64_t length) {
  struct stat info;
  char path[PATH_MAX + 32];
  if (fstat(fd, &info) != 0 || !UndoPath(info.st_ino, path, sizeof(path))) return;
  const int64_t there = info.st_size > offset ? info.st_size - offset : 0;
  const uint64_t kept = static_cast<uint64_t>(there < length ? there : length);
  const size_t size = 3 * sizeof(uint64_t) + kept;
  char* record = static_cast<char*>(malloc(size));
  const uint64_t header[3] = {static_cast<uint64_t>(offset), static_cast<uint64_t>(info.st_size), kept};
  memcpy(record, header, sizeof(header));
  uint64_t done = 0;
  while (done < kept) {
    const long n = syscall(SYS_pread64, fd, record + sizeof(header) + done, kept - done,
                           offset + static_cast<int64_t>(done));
    if (n <= 0) break;
    done += static_cast<uint64_t>(n);
  }
  // One that cannot be read back (opened for writing only) is not recorded: only the log needs it, and is.
  const int undo = done < kept ? -1 : static_cast<int>(syscall(SYS_openat, AT_FDCWD, path,
                                                               O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (undo >= 0) {
    WriteAll(undo, record, size);
    syscall(SYS_close, undo);
  }
  free(record);
}

void ForgetSynced(int fd) {
  struct stat info;
  if (fstat(fd, &info) == 0) ForgetInode(info.st_ino);
}

void ForgetInode(uint64_t inode) {
  char path[PATH_MAX + 32];
  if (UndoPath(inode, path, sizeof(path))) syscall(SYS_unlink, path);
}

}  // namespace disk_faults

// The calls that LD_PRELOAD puts before libc's. README.md says what for and how to steer it.
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "rules.h"
#include "undo.h"

using namespace disk_faults;

#define EXPORT extern "C" __attribute__((visibility("default")))

namespace {

template <class Function>
Function Next(const char* name) {
  return reinterpret_cast<Function>(dlsym(RTLD_NEXT, name));
}

// The file's name now; false for sockets, pipes and files that were removed.
bool PathOf(int fd, char* out, size_t size) {
  char link[64];
  snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
  const long n = syscall(SYS_readlinkat, AT_FDCWD, link, out, size - 1);
  if (n <= 0 || out[0] != '/') return false;
  out[n] = '\0';
  return true;
}

// As PathOf would name it.
void Absolute(const char* path, char* out, size_t size) {
  char directory[PATH_MAX];
  if (path[0] != '/' && getcwd(directory, sizeof(directory)) != nullptr) {
    snprintf(out, size, "%s/%s", directory, path);
  } else {
    snprintf(out, size, "%s", path);
  }
}

void Sleep(int milliseconds) {
  struct timespec left = {milliseconds / 1000, (milliseconds % 1000) * 1000000L};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

// True: the call fails with errno, which is set.
bool Fails(const Verdict& verdict) {
  if (verdict.action == Action::kDelay) Sleep(verdict.value);
  if (verdict.action != Action::kError) return false;
  errno = verdict.value;
  return true;
}

bool HasRoom(int fd, int64_t end) {
  const int64_t capacity = Capacity();
  struct stat info;
  if (capacity < 0 || fstat(fd, &info) != 0) return true;
  const int64_t wanted = end - info.st_blocks * 512;
  if (wanted <= 0 || Used() + wanted <= capacity) return true;
  errno = ENOSPC;
  return false;
}

// `at` < 0: where the file stands.
ssize_t HurtWrite(int fd, const void* bytes, size_t size, int64_t at) {
  const auto real = [&](size_t n) -> ssize_t {
    return at < 0 ? syscall(SYS_write, fd, bytes, n) : syscall(SYS_pwrite64, fd, bytes, n, at);
  };
  char path[PATH_MAX];
  if (!PathOf(fd, path, sizeof(path)) || !IsBelow(path)) return real(size);
  const Verdict verdict = Judge(Call::kWrite, path);
  if (Fails(verdict)) return -1;
  if (verdict.action == Action::kShort && size > 1) size /= 2;
  int64_t offset = at;
  if (at < 0) {
    struct stat info;
    const bool append = (fcntl(fd, F_GETFL) & O_APPEND) != 0 && fstat(fd, &info) == 0;
    offset = append ? info.st_size : lseek(fd, 0, SEEK_CUR);
  }
  if (!HasRoom(fd, offset + static_cast<int64_t>(size))) return -1;
  ssize_t written;
  if (Recording()) {
    UndoLock lock;
    RecordWrite(fd, offset, static_cast<int64_t>(size));
    written = real(verdict.action == Action::kTorn ? size / 2 : size);
  } else {
    written = real(verdict.action == Action::kTorn ? size / 2 : size);
  }
  if (verdict.action != Action::kTorn) return written;
  errno = verdict.value;
  return -1;
}

int HurtSync(int fd, long call) {
  char path[PATH_MAX];
  if (!PathOf(fd, path, sizeof(path)) || !IsBelow(path)) return static_cast<int>(syscall(call, fd));
  if (Fails(Judge(Call::kSync, path))) return -1;
  if (!Recording()) return static_cast<int>(syscall(call, fd));
  UndoLock lock;
  const int result = static_cast<int>(syscall(call, fd));
  if (result == 0) ForgetSynced(fd);
  return result;
}

int HurtOpen(int directory, const char* path, int flags, unsigned mode) {
  const bool writes = (flags & (O_CREAT | O_TRUNC)) != 0;
  char absolute[PATH_MAX];
  Absolute(path, absolute, sizeof(absolute));
  const bool ours = writes && directory == AT_FDCWD && IsBelow(absolute);
  if (ours && Fails(Judge(Call::kOpen, absolute))) return -1;
  const int fd = static_cast<int>(syscall(SYS_openat, directory, path, flags, mode));
  struct stat info;
  if (ours && fd >= 0 && Recording() && fstat(fd, &info) == 0 && info.st_size == 0) {
    UndoLock lock;
    ForgetInode(info.st_ino);
  }
  return fd;
}

ssize_t HurtRead(int fd, void* bytes, size_t size, int64_t at) {
  char path[PATH_MAX];
  if (PathOf(fd, path, sizeof(path)) && IsBelow(path) && Fails(Judge(Call::kRead, path))) return -1;
  return at < 0 ? syscall(SYS_read, fd, bytes, size) : syscall(SYS_pread64, fd, bytes, size, at);
}

int HurtAllocate(int fd, int mode, int64_t offset, int64_t length) {
  char path[PATH_MAX];
  if (PathOf(fd, path, sizeof(path)) && IsBelow(path)) {
    if (Fails(Judge(Call::kWrite, path)) || !HasRoom(fd, offset + length)) return -1;
  }
  return static_cast<int>(syscall(SYS_fallocate, fd, mode, offset, length));
}

template <class Buffer>
int PretendSpace(const char* path, int result, Buffer* out) {
  char absolute[PATH_MAX];
  Absolute(path, absolute, sizeof(absolute));
  if (result != 0 || !IsBelow(absolute)) return result;
  if (Fails(Judge(Call::kStatvfs, absolute))) return -1;
  const int64_t capacity = Capacity();
  if (capacity < 0) return 0;
  const int64_t free = capacity - Used();
  out->f_bsize = out->f_frsize = 4096;
  out->f_blocks = static_cast<decltype(out->f_blocks)>(capacity / 4096);
  out->f_bfree = out->f_bavail = static_cast<decltype(out->f_bfree)>(free > 0 ? free / 4096 : 0);
  return 0;
}

unsigned ModeOf(int flags, va_list arguments) { return (flags & (O_CREAT | O_TMPFILE)) != 0 ? va_arg(arguments, unsigned) : 0; }

}  // namespace

EXPORT ssize_t write(int fd, const void* bytes, size_t size) { return HurtWrite(fd, bytes, size, -1); }
EXPORT ssize_t pwrite(int fd, const void* bytes, size_t size, off_t at) { return HurtWrite(fd, bytes, size, at); }
EXPORT ssize_t pwrite64(int fd, const void* bytes, size_t size, off64_t at) {
  return HurtWrite(fd, bytes, size, at);
}
EXPORT ssize_t read(int fd, void* bytes, size_t size) { return HurtRead(fd, bytes, size, -1); }
EXPORT ssize_t pread(int fd, void* bytes, size_t size, off_t at) { return HurtRead(fd, bytes, size, at); }
EXPORT ssize_t pread64(int fd, void* bytes, size_t size, off64_t at) { return HurtRead(fd, bytes, size, at); }

EXPORT int fsync(int fd) { return HurtSync(fd, SYS_fsync); }
EXPORT int fdatasync(int fd) { return HurtSync(fd, SYS_fdatasync); }

EXPORT int open(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = ModeOf(flags, arguments);
  va_end(arguments);
  return HurtOpen(AT_FDCWD, path, flags, mode);
}
EXPORT int open64(const char* path, int flags, ...) {
  va_list arguments;
  va_start(arguments, flags);
  const unsigned mode = ModeOf(flags, arguments);
  va_end(arguments);
  return HurtOpen(AT_FDCWD, path, flags, mode);
}

EXPORT int fallocate(int fd, int mode, off_t offset, off_t length) {
  return HurtAllocate(fd, mode, offset, length);
}
EXPORT int fallocate64(int fd, int mode, off64_t offset, off64_t length) {
  return HurtAllocate(fd, mode, offset, length);
}
EXPORT int posix_fallocate(int fd, off_t offset, off_t length) {
  return HurtAllocate(fd, 0, offset, length) == 0 ? 0 : errno;
}
EXPORT int posix_fallocate64(int fd, off64_t offset, off64_t length) {
  return HurtAllocate(fd, 0, offset, length) == 0 ? 0 : errno;
}

EXPORT int rename(const char* from, const char* to) {
  char absolute[PATH_MAX];
  Absolute(to, absolute, sizeof(absolute));
  if (Fails(Judge(Call::kRename, absolute))) return -1;
  return static_cast<int>(syscall(SYS_renameat, AT_FDCWD, from, AT_FDCWD, to));
}

EXPORT int unlink(const char* path) {
  char absolute[PATH_MAX];
  struct stat info;
  Absolute(path, absolute, sizeof(absolute));
  if (IsBelow(absolute) && stat(path, &info) == 0 && Recording()) {
    UndoLock lock;
    ForgetInode(info.st_ino);
  }
  return static_cast<int>(syscall(SYS_unlinkat, AT_FDCWD, path, 0));
}

EXPORT int statvfs(const char* path, struct statvfs* out) {
  return PretendSpace(path, Next<int (*)(const char*, struct statvfs*)>("statvfs")(path, out), out);
}
EXPORT int statvfs64(const char* path, struct statvfs64* out) {
  return PretendSpace(path, Next<int (*)(const char*, struct statvfs64*)>("statvfs64")(path, out), out);
}

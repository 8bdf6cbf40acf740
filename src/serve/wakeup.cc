#include "serve/wakeup.h"

#include <sys/eventfd.h>

#include "base/check.h"

namespace quorate::serve {

Wakeup::Wakeup() : fd_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {
  if (!fd_) FailStop("cannot make an eventfd: the limit on open files is too low (ulimit -n)");
}

void Wakeup::Signal() const {
  // Fails only when the count is at its end, and then the reader wakes anyway.
  [[maybe_unused]] const int done = eventfd_write(fd_.get(), 1);
}

void Wakeup::Clear() const {
  eventfd_t count;
  [[maybe_unused]] const int done = eventfd_read(fd_.get(), &count);
}

}  // namespace quorate::serve

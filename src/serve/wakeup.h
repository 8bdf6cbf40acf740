// An eventfd: lets another thread end an epoll_wait.
#pragma once

#include "serve/unique_fd.h"

namespace quorate::serve {

class Wakeup {
 public:
  Wakeup();
  int fd() const { return fd_.get(); }
  void Signal() const;  // any thread, never blocks
  void Clear() const;

 private:
  UniqueFd fd_;
};

}  // namespace quorate::serve

#include "base/check.h"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace quorate {

void CheckFailed(const char* file, int line, const std::string& what) {
  std::fprintf(stderr, "quorate: defect: CHECK failed at %s:%d: %s\n", file, line, what.c_str());
  std::fflush(stderr);
  std::abort();
}

void FailStop(const std::string& why) {
  std::fprintf(stderr, "quorate: stopped: %s\n", why.c_str());
  std::fflush(stderr);
  _exit(70);
}

}  // namespace quorate

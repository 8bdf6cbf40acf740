#include "base/clock.h"

#include <time.h>

namespace quorate {
namespace {

Duration Read(clockid_t id) {
  timespec now{};
  clock_gettime(id, &now);
  return std::chrono::seconds(now.tv_sec) + std::chrono::nanoseconds(now.tv_nsec);
}

}  // namespace

BootTime SystemClock::Boot() const { return {Read(CLOCK_BOOTTIME)}; }
WallTime SystemClock::Wall() const { return {Read(CLOCK_REALTIME)}; }

}  // namespace quorate

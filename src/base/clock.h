// Time as an interface, so that the simulator can own it.
#pragma once

#include "base/types.h"

namespace quorate {

class Clock {
 public:
  virtual ~Clock() = default;
  // CLOCK_BOOTTIME: counts suspend, never jumps. Any thread, never blocks.
  virtual BootTime Boot() const = 0;
  // CLOCK_REALTIME: only for what people read, and for TSIG.
  virtual WallTime Wall() const = 0;
};

// This machine's clocks.
class SystemClock final : public Clock {
 public:
  BootTime Boot() const override;
  WallTime Wall() const override;
};

}  // namespace quorate

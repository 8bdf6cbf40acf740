// The clocks of one simulated machine. BOOTTIME runs at a rate of its own, within the bound that read leases
// assume; nobody may compare it with another machine's.
#pragma once

#include "base/types.h"
#include "sim/world.h"

namespace quorate::sim {

class MachineClock {
 public:
  // Rates are 1 +- rate_permille / 1000.
  MachineClock(World& world, uint64_t rate_permille);

  BootTime Boot() const;
  WallTime Wall() const;
  // How long the world takes until Boot() >= `when`, if the rate stays; 0: it is already.
  Duration Until(BootTime when) const;

  void DrawRate();
  void Reboot();    // BOOTTIME starts anew
  void JumpWall();  // forwards or back, up to hours

 private:
  World& world_;
  const uint64_t rate_permille_;
  Duration since_{0};  // world time at which the rate last changed
  BootTime boot_;      // what the clock showed then
  int64_t rate_ppm_ = 1'000'000;
  Duration wall_offset_{0};
};

}  // namespace quorate::sim

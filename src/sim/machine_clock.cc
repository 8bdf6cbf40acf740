#include "sim/machine_clock.h"

namespace quorate::sim {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr int64_t kMillion = 1'000'000;

}  // namespace

MachineClock::MachineClock(World& world, uint64_t rate_permille)
    : world_(world), rate_permille_(rate_permille), boot_{world.Between(seconds(1), seconds(1000))} {
  DrawRate();
}

BootTime MachineClock::Boot() const {
  return boot_ + Duration((world_.now() - since_).count() * rate_ppm_ / kMillion);
}

WallTime MachineClock::Wall() const { return {seconds(1'800'000'000) + world_.now() + wall_offset_}; }

Duration MachineClock::Until(BootTime when) const {
  const Duration local = when - Boot();
  if (local.count() <= 0) return Duration(0);
  if (local > hours(1)) return hours(1);
  return Duration(local.count() * kMillion / rate_ppm_ + 1);
}

void MachineClock::DrawRate() {
  boot_ = Boot();
  since_ = world_.now();
  const auto spread = static_cast<int64_t>(rate_permille_) * 1000;
  // The ends are the hard cases.
  switch (world_.rng().Below(4)) {
    case 0:
      rate_ppm_ = kMillion - spread;
      break;
    case 1:
      rate_ppm_ = kMillion + spread;
      break;
    default:
      rate_ppm_ = kMillion - spread + static_cast<int64_t>(world_.rng().Below(2 * spread + 1));
  }
}

void MachineClock::Reboot() {
  DrawRate();
  boot_ = {world_.Between(milliseconds(10), seconds(2))};
}

void MachineClock::JumpWall() {
  const bool far = world_.rng().Chance(1, 3);
  wall_offset_ += far ? world_.Between(-hours(3), hours(3)) : world_.Between(-seconds(2), seconds(2));
}

}  // namespace quorate::sim

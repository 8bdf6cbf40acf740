// The times of a group, and what makes them sound.
#include <string>

#include "raft/types.h"

namespace quorate::raft {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLongest = kLeaseMax;

Timing Preset(milliseconds heartbeat, milliseconds election, milliseconds lease, milliseconds late,
              milliseconds hold) {
  return {.heartbeat = heartbeat,
          .election_min = election,
          .election_max = 2 * election,
          .lease = lease,
          .lease_wait = LeaseWaitFor(lease),
          .lease_wanted = lease,
          .ack_late = late,
          .hold = hold};
}

}  // namespace

Timing LanTiming() {
  return Preset(milliseconds(50), milliseconds(150), milliseconds(600), milliseconds(300), milliseconds(250));
}

Timing WanTiming() {
  return Preset(milliseconds(250), milliseconds(1000), milliseconds(5000), milliseconds(1000),
                milliseconds(400));
}

Duration LeaseWaitFor(Duration lease) {
  return lease * (100 + kRhoPercent) / (100 - kRhoPercent) + milliseconds(2);
}

std::string WhyUnsound(const Timing& t) {
  if (t == Timing{}) return {};
  for (const Duration time : {t.heartbeat, t.election_min, t.election_max, t.ack_late, t.hold})
    if (time <= Duration(0) || time > kLongest) return "every time must be above 0 and at most 10 minutes";
  for (const Duration time : {t.lease, t.lease_wanted})
    if (time < Duration(0) || time > kLeaseMax) return "a lease may last at most 10 minutes";
  if (t.lease_wait > LeaseWaitFor(kLeaseMax)) return "nobody need wait so long for a lease";
  if (t.election_min < 2 * t.heartbeat) return "elections must outlast two heartbeats";
  if (t.election_max <= t.election_min) return "election timeouts must have room to differ";
  // The one that safety hangs on: a leader waits long enough for what any leader before it may have granted.
  if (t.lease_wait < LeaseWaitFor(t.lease))
    return "the wait for a lease is shorter than the lease allows for";
  return {};
}

}  // namespace quorate::raft

// What a run is made of: which groups, which faults how often, which clients. The default is everything; a
// mutant has a profile that leads to its bug soon.
#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "base/types.h"

namespace quorate::sim {

enum class ShapeKind : uint8_t { kLan3, kLan5, kLan3Learner, kWan5 };

enum class Fault : uint8_t {
  kKill,        // the process dies, now and then in good order; the machine lives
  kPowerCut,    // the machine loses its power, now or in the middle of a write; now and then all do
  kCrashPoint,  // death at the next log write, compaction, flush, or snapshot chunk or install
  kPause,       // SIGSTOP, then SIGCONT
  kSlowDisk,
  kStalledDisk,   // nothing finishes for seconds
  kDiskError,     // a write or a sync fails
  kFullDisk,      // ENOSPC for a while
  kRot,           // the process dies, and a bit of its log has flipped: such a replica may not come back
  kPartition,     // one cut off, one way or both; a bridge; the leader with one more
  kHeal,          // every cut
  kWeather,       // loss, repetition, delay
  kSlowLink,      // one way between two
  kTransfer,      // of leadership
  kClock,         // another rate within the bound, or a jump of wall time
  kReaderPauses,  // how often reader threads are paused, from now on
  kConfigure,     // leases off or on, of another length, a member without them
  // A change of who may hold leases: the leader tells the member that it makes eligible, and forgets; or the
  // member that it takes the right from is cut off, before or after it hears of it, and the leader dies.
  kTornRoster,
  kMembership,  // a change of who is a member, by an operator
  kLoseLog,     // a machine comes back without its log, and says so
  kWipe,        // a machine comes back with nothing, and does not say who it was
  kUpgrade,     // a machine that runs an old program gets the new one
};
inline constexpr size_t kFaults = 22;

struct Profile {
  std::vector<ShapeKind> shapes = {ShapeKind::kLan3, ShapeKind::kLan5, ShapeKind::kLan3Learner,
                                   ShapeKind::kWan5};
  // By Fault. Each seed multiplies each by 0, 1 or 3 unless `swarm` is off, so that some runs are without.
  std::array<uint32_t, kFaults> weights = {8,  10, 8, 8, 4, 2, 3, 2,  1, 22, 12,
                                           10, 5,  8, 8, 4, 4, 1, 12, 2, 1,  6};
  bool swarm = true;
  Duration chaos{0};  // how long faults go on; 0: as the shape has it
  // Of a LAN; a WAN has three times that.
  Duration disturb_min = std::chrono::milliseconds(5), disturb_max = std::chrono::milliseconds(500);
  Duration restart_max = std::chrono::milliseconds(1500);
  uint64_t slow_permille = 0;   // of the messages are late, whatever the weather
  uint64_t rate_permille = 50;  // clocks run at 1 +- that; two of them then differ by 11 % at most

  uint64_t old_program_percent = 15;  // of the runs begin with a program from before membership changes
  uint64_t machines_max = 9;          // ids are never given again

  uint64_t leases_percent = 85;  // of the runs have read leases
  Duration lease{0};             // how long they last; 0: as the shape has it
  // A kill hits whoever just voted, or else the leader, if there is one.
  bool aim_kills = false;

  uint64_t clients = 5, keys = 3;  // keys: of the store, and names of the zone as many
  uint64_t writes_percent = 66;
  Duration think_max = std::chrono::milliseconds(30);
  Duration call_timeout = std::chrono::milliseconds(1000);
  Duration read_every_max = std::chrono::milliseconds(40);  // of the reader clients, one for each replica

  uint64_t sticky_percent = 0;  // of the retries go to the same replica as before

  Duration election_spread{0};  // from the least election timeout to the most; 0: as the shape has it
  Duration recovery{0};         // how long everything may take to come right; 0: as the shape has it
  size_t append_bytes_max = 4096;
  size_t inflight_messages_max = 0;  // 0: limits.h
  size_t log_entries_max = 0;        // 0: the seed draws it, 16 .. 512; the log is cut when it has more

  Profile& With(Fault fault, uint32_t weight) {
    weights[static_cast<size_t>(fault)] = weight;
    return *this;
  }
};

}  // namespace quorate::sim

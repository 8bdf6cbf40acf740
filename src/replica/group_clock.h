// Group time: the time that commands are stamped with, by which sessions expire on every replica alike.
#pragma once

#include <algorithm>

#include "base/types.h"
#include "rsm/api.h"

namespace quorate::replica {

// The largest value ever logged plus this leader's own BOOTTIME since its election: it never goes back,
// whoever leads, and nobody's wall clock is asked. Values of entries that were cut off again count too; that
// is harmless.
class GroupClock {
 public:
  // An entry's payload came into the log, or the state was found at `value`.
  void Saw(Duration value) { logged_ = std::max(logged_, value); }
  void SawEntry(const raft::LogEntry& entry) {
    if (entry.type != raft::EntryType::kCommand || !entry.payload) return;
    if (auto stamped = rsm::ParseStamped(*entry.payload)) Saw(stamped->stamp.group_time);
  }
  void Elected(BootTime now) {
    base_ = logged_;
    elected_at_ = now;
  }
  // Only a leader asks.
  Duration At(BootTime now) const { return std::max(logged_, base_ + (now - elected_at_)); }
  // The largest value that is, or was, in the log.
  Duration Logged() const { return logged_; }

 private:
  Duration logged_{0}, base_{0};
  BootTime elected_at_;
};

}  // namespace quorate::replica

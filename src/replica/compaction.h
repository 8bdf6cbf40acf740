// When to cut the log, and where.
#pragma once

#include <deque>
#include <optional>
#include <vector>

#include "raft/types.h"

namespace quorate::replica {

struct CompactionLimits {
  size_t bytes_max = 0, entries_max = 0;    // a longer log is cut ...
  size_t bytes_keep = 0, entries_keep = 0;  // ... to this, or to what somebody still wants ...
  size_t bytes_held = 0, entries_held = 0;  // ... who is heeded up to this length
};

// The sizes of the entries in the log. What slow followers still want is kept within the limits; whoever
// needs more gets a snapshot (nobody may hold memory and disk for ever).
class LogSizes {
 public:
  explicit LogSizes(LogIndex base) : base_(base) {}

  void Append(const std::vector<raft::LogEntry>& entries);  // replaces what they overlap
  void CutThrough(LogIndex index);
  void Restart(LogIndex base);

  bool TooLong(const CompactionLimits& limits) const {
    return bytes_ > limits.bytes_max || sizes_.size() > limits.entries_max;
  }
  bool HeldTooLong(const CompactionLimits& limits) const {
    return bytes_ > limits.bytes_held || sizes_.size() > limits.entries_held;
  }
  // The lowest index to cut through that leaves no more than what is to be kept.
  LogIndex Target(const CompactionLimits& limits) const;
  LogIndex base() const { return base_; }

 private:
  LogIndex base_;  // the log begins after it
  std::deque<size_t> sizes_;
  size_t bytes_ = 0;
};

}  // namespace quorate::replica

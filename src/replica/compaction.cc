#include "replica/compaction.h"

namespace quorate::replica {

void LogSizes::Append(const std::vector<raft::LogEntry>& entries) {
  if (entries.empty()) return;
  while (!sizes_.empty() && base_ + sizes_.size() >= entries.front().index) {
    bytes_ -= sizes_.back();
    sizes_.pop_back();
  }
  for (const raft::LogEntry& entry : entries) {
    sizes_.push_back(entry.bytes());
    bytes_ += entry.bytes();
  }
}

void LogSizes::CutThrough(LogIndex index) {
  while (!sizes_.empty() && base_ < index) {
    ++base_;
    bytes_ -= sizes_.front();
    sizes_.pop_front();
  }
}

void LogSizes::Restart(LogIndex base) {
  base_ = base;
  sizes_.clear();
  bytes_ = 0;
}

LogIndex LogSizes::Target(const CompactionLimits& limits) const {
  size_t left = sizes_.size(), bytes = bytes_;
  LogIndex target = base_;
  for (size_t size : sizes_) {
    if (left <= limits.entries_keep && bytes <= limits.bytes_keep) break;
    --left;
    bytes -= size;
    ++target;
  }
  return target;
}

}  // namespace quorate::replica

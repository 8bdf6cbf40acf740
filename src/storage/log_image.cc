#include "storage/log_image.h"

#include "base/check.h"

namespace quorate::storage {

void CompactLog(const raft::SnapshotMeta& base, RecoveredLog& log) {
  if (base.last_index <= log.base.last_index) return;
  std::erase_if(log.entries, [&](const raft::LogEntry& entry) { return entry.index <= base.last_index; });
  log.base = base;
}

void ApplyLogWrite(const LogWrite& write, RecoveredLog& log) {
  if (write.install.has_value()) {
    if (!write.keep_log_suffix) log.entries.clear();
    CompactLog(*write.install, log);
  }
  if (write.hard_state.has_value()) log.hard_state = *write.hard_state;
  if (write.append.empty()) return;
  const LogIndex first = write.append.front().index;
  std::erase_if(log.entries, [&](const raft::LogEntry& entry) { return entry.index >= first; });
  for (const raft::LogEntry& entry : write.append) {
    const LogIndex last = log.entries.empty() ? log.base.last_index : log.entries.back().index;
    CHECK_EQ(entry.index, last + 1);
    log.entries.push_back(entry);
  }
}

}  // namespace quorate::storage

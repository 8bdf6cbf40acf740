// What a log holds, as a value: the meaning of LogWrite in a few lines. The memory log is made of it, and the
// WAL's tests compare with it.
#pragma once

#include "storage/api.h"

namespace quorate::storage {

// `log` becomes what a log holds after `write`. CHECKs that the entries follow the log without a gap.
void ApplyLogWrite(const LogWrite& write, RecoveredLog& log);

// Forgets entries up to base.last_index; `base` is the log's base from now on. An older base changes nothing.
void CompactLog(const raft::SnapshotMeta& base, RecoveredLog& log);

}  // namespace quorate::storage

// What a power failure would take away: for each file the bytes that its writes replaced since its last sync.
// One file RECORD/INODE.undo of records, newest last: offset, size of the file before, length (u64 each), bytes.
#pragma once

#include <cstdint>

namespace disk_faults {

// Holds back every other recorded write and sync meanwhile.
class UndoLock {
 public:
  UndoLock();
  ~UndoLock();
};

// All under an UndoLock. Nothing happens where nothing is recorded (`record` in the control file).
bool Recording();
void RecordWrite(int fd, int64_t offset, int64_t length);
void ForgetSynced(int fd);
// The file is new, or about to go: what an inode of that number once was is not its past.
void ForgetInode(uint64_t inode);

}  // namespace disk_faults

// What a disk can do to a replica, by name. Any of it stops the replica: what was promised can no longer be
// kept, or no longer be told. docs/operations/damaged-replica.md says what to do about each.
#pragma once

#include <optional>
#include <string>

#include "absl/status/status.h"

namespace quorate {

enum class DiskFault : int {
  kWrite,    // a write, creation, rename or removal failed
  kSync,     // fsync failed: what of it is on the disk, nobody knows
  kRead,     // a read failed
  kFull,     // no room (ENOSPC, EDQUOT)
  kDamaged,  // what was read is not what was written
};
const char* NameOf(DiskFault fault);  // "sync-failed"
int ExitCodeOf(DiskFault fault);      // of the process; 80 to 84

// An error that carries its fault; ENOSPC and EDQUOT make any of them kFull. The text ends with that of
// `error`, an errno.
absl::Status DiskError(DiskFault fault, int error, const std::string& what);
// What `status` carries; of a plain kDataLoss: kDamaged.
std::optional<DiskFault> DiskFaultOf(const absl::Status& status);

// Prints one line with the fault's name and what to do, calls the handler, and ends the process with the
// fault's exit code, all on this thread; other threads that come here meanwhile wait for the end. Nothing is
// written afterwards and nobody is answered. Any thread.
[[noreturn]] void FailStop(DiskFault fault, const std::string& why);
// By the fault that `status` carries; kWrite if none.
[[noreturn]] void FailStop(const std::string& doing, const absl::Status& status);
// Called before the process ends; must not wait for other threads. One for the whole process.
void SetDiskFaultHandler(void (*handler)(DiskFault fault, const std::string& why));

}  // namespace quorate

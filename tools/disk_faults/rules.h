// What the control file says: which calls on which files fail, and how. README.md has the grammar.
#pragma once

#include <cstddef>
#include <cstdint>

namespace disk_faults {

enum class Call { kOpen, kWrite, kSync, kRename, kStatvfs, kRead };
enum class Action { kNone, kError, kDelay, kShort, kTorn };

struct Verdict {
  Action action = Action::kNone;
  int value = 0;  // an errno, or milliseconds
};

// All of them read the control file again if it changed. Any thread.

// Whether `path` is one that this process is to be hurt in; nothing else is ever touched.
bool IsBelow(const char* path);
// What happens to this call. Counts it.
Verdict Judge(Call call, const char* path);
// The room that the file system pretends to have; -1: as it is. `used`: what lies below the directory.
int64_t Capacity();
int64_t Used();
// Where undo records go; empty: nowhere.
void RecordDirectory(char* out, size_t size);

}  // namespace disk_faults

// Room on the disk: how much there is, and a file that keeps some of it back for when there is none. Blocks.
#pragma once

#include <cstdint>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quorate::storage {

// Bytes that this process may still write below `path`. An error says nothing about how many there are.
absl::StatusOr<uint64_t> FreeBytes(const std::string& path);

// The data directory `path` has a reserve of `bytes` whose blocks are allocated; of another size it is made
// anew. 0: it has none. kResourceExhausted: no room for it, and nothing of it is left behind.
absl::Status EnsureReserve(const std::string& path, uint64_t bytes);
bool HasReserve(const std::string& path);
// Gives it back. Best effort; any thread.
void ReleaseReserve(const std::string& path);

}  // namespace quorate::storage

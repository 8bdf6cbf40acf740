// Small files that are always whole: the old content or the new, whatever happens.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace quorate::storage {

// Writes `path`.tmp, syncs it, renames it to `path`, syncs the directory. Blocks. After an error `path` is
// the old one or the new one.
absl::Status ReplaceFile(const std::string& path, std::string_view content);
// kNotFound: there is none.
absl::StatusOr<std::string> ReadSmallFile(const std::string& path);
// What was created, renamed or removed in `directory` is durable.
absl::Status SyncDirectory(const std::string& directory);

}  // namespace quorate::storage

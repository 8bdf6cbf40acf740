// The state of a running replica as a snapshot file.
#pragma once

#include "absl/status/statusor.h"
#include "api/http/backend.h"
#include "base/types.h"
#include "kv/ordered_map.h"

namespace quorate::app {

// Of what `map` is now, at one applied index; pins that version until it is dropped. The map outlives it.
// Any thread; kUnavailable: nothing is applied yet.
absl::StatusOr<api::HttpBackend::FileParts> OpenSnapshot(const kv::MapReader& map, GroupId group,
                                                         const std::string& name, WallTime now);

}  // namespace quorate::app

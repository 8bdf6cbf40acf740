// `quorate serve`: one process, one replica of one group.
#pragma once

#include "absl/status/status.h"
#include "app/serve_config.h"

namespace quorate::app {

// Starts everything, then waits for SIGTERM or SIGINT and stops in order. The error names what to do next.
absl::Status RunServe(ServeOptions options);

}  // namespace quorate::app

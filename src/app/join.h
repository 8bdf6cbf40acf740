// `quorate serve --join`: a new process asks a running group to be added to it.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "app/place_file.h"
#include "app/serve_config.h"

namespace quorate::app {

// What the door `url` of the group answered to POST /api/v1/members of `instance` at `address`, with an HTTP
// status. A place that it has already is taken: asking twice is asking once. kUnavailable: ask again, another
// door perhaps. kFailedPrecondition, kInvalidArgument: the group refuses, and says why.
absl::StatusOr<JoinedPlace> PlaceFromReply(long status, std::string_view body, const std::string& url,
                                           uint64_t instance, const std::string& address);

// Asks the doors of options.join, one after the other and again, until the leader has taken this data
// directory in. Blocks for ten minutes at most, or until `stop`; `notice` is told what it waits for.
absl::StatusOr<JoinedPlace> JoinGroup(const ServeOptions& options, uint64_t instance, std::stop_token stop,
                                      const std::function<void(const std::string&)>& notice);

}  // namespace quorate::app

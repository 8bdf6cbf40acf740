// PATCH /api/v1/group: changes of the group's configuration, at its leader.
#pragma once

#include <string>

#include "api/http/context.h"
#include "api/http/router.h"
#include "base/result.h"
#include "replica/client.h"

namespace quorate::api {

// What `body` asks for; it has exactly one of `leases`, `preset`, `timing`, `member`. Times that it does not
// name stay as in `now`. The error is for people.
Result<replica::ConfigurationChange, std::string> ParseGroupChange(const std::string& body,
                                                                   const raft::Timing& now);

void HandleGroupPatch(const ContextPtr& context, const HttpRequest& request, Respond respond);

}  // namespace quorate::api

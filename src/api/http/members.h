// /api/v1/members: who takes part, and changing that, at the leader.
#pragma once

#include <string>

#include "base/result.h"
#include "replica/client.h"

namespace quorate::api {

// {"address": "host:port", "learner": bool, "replaces": id, "instance": "16 hex digits"}, all but the first
// may be missing. The error is for people.
Result<replica::AddMember, std::string> ParseNewMember(const std::string& body);

}  // namespace quorate::api

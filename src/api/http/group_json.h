// Group status as JSON, the same for GET /api/v1/group and whoever logs it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/http/backend.h"

namespace quorate::api {

const char* RoleName(raft::Role role);

// For programs ("holder", "silent", ...), and what it means, for people.
struct LeaseStateText {
  const char* code;
  const char* text;
};
LeaseStateText TextOf(raft::LeaseState state);

nlohmann::json MembersToJson(const raft::Status& raft);
nlohmann::json TimingToJson(const raft::Timing& timing);
nlohmann::json GroupToJson(const HttpBackend& backend);

}  // namespace quorate::api

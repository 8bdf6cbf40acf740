// Group status as JSON, the same for GET /api/v1/group and whoever logs it.
#pragma once

#include <nlohmann/json_fwd.hpp>

#include "api/http/backend.h"

namespace quorate::api {

const char* RoleName(raft::Role role);
nlohmann::json GroupToJson(const HttpBackend& backend);

}  // namespace quorate::api

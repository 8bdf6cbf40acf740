// Group status as JSON, the same for GET /api/v1/group and whoever logs it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "api/http/backend.h"

namespace quorate::api {

const char* RoleName(raft::Role role);

// For programs ("holder", "silent", ...), and what it means, for people.
struct LeaseStateText {
  const char* code;
  const char* text;
};
LeaseStateText TextOf(raft::LeaseState state);

// Of a data directory, 16 hex digits; empty for 0, one that is not known.
std::string InstanceText(uint64_t instance);
bool IsChangeUnderWay(const raft::Configuration& configuration);

// `own_feature_level`: what the program that answers can do.
nlohmann::json MembersToJson(const raft::Status& raft, uint64_t own_feature_level);
nlohmann::json TimingToJson(const raft::Timing& timing);
nlohmann::json GroupToJson(const HttpBackend& backend);

}  // namespace quorate::api

// The first content of a new group's zones: SOA, NS and the addresses of its own replicas.
#pragma once

#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "rsm/command.h"

namespace quorate::app {

// `servers` are the addresses of the group's nameservers, without ports. kInvalidArgument names a bad zone
// name.
absl::StatusOr<rsm::Seed> MakeSeed(const std::vector<std::string>& zones,
                                   const std::vector<std::string>& servers);

}  // namespace quorate::app

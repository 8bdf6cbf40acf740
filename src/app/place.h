// A replica's place: which member of which group it is, and who the others are.
#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/serve_config.h"
#include "oracle/client.h"

namespace quorate::app {

// "1=127.0.0.1:2380" or "4=127.0.0.1:2380/learner"; `flag` is where it comes from, for the error.
absl::StatusOr<oracle::AssignedMember> ParseMember(const std::string& flag, const std::string& text);

// From --members, --group-id and so on. The zones' nameservers are the members' hosts.
absl::StatusOr<oracle::Assignment> PlaceByHand(const ServeOptions& options);

// Asks the Oracle until the group is formed (blocks) or `stop`.
absl::StatusOr<oracle::Assignment> PlaceFromOracle(const ServeOptions& options, const std::string& uuid,
                                                   uint64_t incarnation, std::stop_token stop);

// The DNS addresses of the group's replicas without ports; of a replica that says none: its peer address.
std::vector<std::string> NameserverHosts(const oracle::Assignment& place);

}  // namespace quorate::app

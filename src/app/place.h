// A replica's place: which member of which group it is, and who the others are.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "app/serve_config.h"
#include "oracle/client.h"
#include "raft/types.h"
#include "storage/data_directory.h"

namespace quorate::app {

// From the Oracle, by hand or by joining, as the options say; what joined once knows its place from its data
// directory, which is assigned to it in any case. Blocks until the group is formed or takes it in, or `stop`.
// `notice` is told what it waits for.
absl::StatusOr<oracle::Assignment> TakePlace(const ServeOptions& options, storage::DataDirectory& directory,
                                             std::stop_token stop,
                                             const std::function<void(const std::string&)>& notice);
// "1=127.0.0.1:2380", "4=127.0.0.1:2380/learner" or "4=127.0.0.1:2380/joined"; `flag` is where it comes from,
// for the error.
absl::StatusOr<oracle::AssignedMember> ParseMember(const std::string& flag, const std::string& text);

// From --members, --group-id and so on. The zones' nameservers are the members' hosts.
absl::StatusOr<oracle::Assignment> PlaceByHand(const ServeOptions& options);

// What the group was formed with, the same at every member. Empty for one that was added later: it waits to
// be told by the leader, and never campaigns before.
raft::Configuration BootstrapConfiguration(const oracle::Assignment& place);

// The DNS addresses of the group's replicas without ports; of a replica that says none: its peer address.
std::vector<std::string> NameserverHosts(const oracle::Assignment& place);

}  // namespace quorate::app

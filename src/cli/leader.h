// Requests that only the leader of a group answers: changes of its configuration.
#pragma once

#include <nlohmann/json.hpp>

#include "cli/group_client.h"
#include "cli/target.h"

namespace quorate::cli {

// A replica's door, with what GET `path` said there: the leader's, where its door is known. `path` must be
// one whose object has "role" and "leader".
struct LeaderReply {
  Replica replica;
  nlohmann::json body;
};
// kUnavailable: nobody answers, or there is no leader just now. kFailed: the leader's door is not known.
CliResult<LeaderReply> AskLeader(const GroupClient& client, const Group& group, const std::string& path);

// Sends `request` to whoever leads, again while there is nobody or another change is under way, until the
// target's time is over. Only for what does no harm when it is sent twice. Gives any definite answer.
GroupReply CallLeader(const Target& target, const Group& group, const GroupRequest& request);

}  // namespace quorate::cli

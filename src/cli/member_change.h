// `quorate member`: one change of a group's members, at its leader, and waiting for what follows from it.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>

#include "cli/error.h"
#include "cli/target.h"

namespace quorate::cli {

struct MemberChange {
  enum class Kind { kAdd, kRemove, kPromote, kDemote, kReplace };
  Kind kind = Kind::kAdd;
  uint64_t id = 0;      // of all but kAdd; of kReplace: of the one that goes
  std::string address;  // of kAdd and kReplace: host:port of the new one's peer port
  bool learner = false;
  bool force = false;
  bool wait = false;  // until what was asked for has come about, as a vote once it has caught up
};

GroupRequest RequestOf(const MemberChange& change);

// What the reply means. Where it is as asked already that is success: sending a change again does no harm.
// The result has "id" (0: none is meant), "already" and, for people, "text".
CliResult<nlohmann::json> ResultOf(const MemberChange& change, const HttpReply& reply);

// The command that starts member `address`; `urls` of doors of its group.
std::string ServeCommand(const std::string& urls, const std::string& address);

// What the row of `GET /api/v1/members` still lacks of what `change` asked for, for people; empty: nothing.
std::string StillMissing(const MemberChange& change, uint64_t id, const nlohmann::json& members);

// Makes the change at the one group that `target` names, prints what came of it.
ExitCode ChangeMember(const Target& target, const MemberChange& change);

}  // namespace quorate::cli

// `quorate group set`: the words of the command line as changes for PATCH /api/v1/group.
#pragma once

#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "cli/error.h"
#include "cli/target.h"

namespace quorate::cli {

// "leases=off", "preset=wan", "lease=800ms", "eligible=2:off" and so on. One body for each change, in the
// order given; times that stand beside each other are one change.
CliResult<std::vector<nlohmann::json>> ParseSettings(const std::vector<std::string>& words);

// Makes the changes at the leader of each group. Prints what came of it.
ExitCode SetGroups(const Target& target, const std::vector<std::string>& words);

}  // namespace quorate::cli

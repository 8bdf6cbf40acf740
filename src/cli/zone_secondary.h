// `quorate zone create --secondary`, `promote`, `refresh`, `status`: zones that come from other servers; and
// catalogs.
#pragma once

#include <string>
#include <vector>

#include "cli/deployment.h"
#include "cli/exit_code.h"
#include "cli/target.h"

namespace quorate::cli {

ExitCode CreateSecondary(const Target& target, const dns::Name& zone, const std::vector<GroupZone>& holders,
                         const std::vector<std::string>& primaries, bool catalog);
ExitCode CreateCatalog(const Target& target, const dns::Name& zone, const std::vector<GroupZone>& holders);
void AddSecondaryCommands(CLI::App& zone, ExitCode& exit);

}  // namespace quorate::cli

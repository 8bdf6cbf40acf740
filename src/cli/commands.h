// The subcommands of `quorate`, each in a file of its own. Register* adds one to `app`; running it sets
// `exit`.
#pragma once

#include "cli/exit_code.h"

namespace CLI {
class App;
}

namespace quorate::cli {

// Parses the command line, runs one subcommand, gives the exit code of the process.
int Run(int argc, char** argv);

void RegisterServe(CLI::App& app, ExitCode& exit);
void RegisterOracle(CLI::App& app, ExitCode& exit);
void RegisterRecord(CLI::App& app, ExitCode& exit);
void RegisterZone(CLI::App& app, ExitCode& exit);
void RegisterTsig(CLI::App& app, ExitCode& exit);
void RegisterKv(CLI::App& app, ExitCode& exit);
void RegisterSession(CLI::App& app, ExitCode& exit);
void RegisterGroup(CLI::App& app, ExitCode& exit);
void RegisterMember(CLI::App& app, ExitCode& exit);
void RegisterSnapshot(CLI::App& app, ExitCode& exit);
void RegisterRecover(CLI::App& app, ExitCode& exit);
void RegisterResolve(CLI::App& app, ExitCode& exit);
void RegisterVersion(CLI::App& app, ExitCode& exit);

}  // namespace quorate::cli

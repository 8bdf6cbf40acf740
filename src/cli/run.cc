#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/target.h"

namespace quorate::cli {

int Run(int argc, char** argv) {
  CLI::App app("Quorate: authoritative DNS that is never inconsistent.", "quorate");
  app.require_subcommand(1);
  app.footer(
      "A deployment is named by --oracle URL or QUORATE_ORACLE, one replica by --server URL or "
      "QUORATE_SERVER.\n" +
      std::string(kExitCodeHelp));
  ExitCode exit = ExitCode::kOk;
  RegisterServe(app, exit);
  RegisterOracle(app, exit);
  RegisterRecord(app, exit);
  RegisterZone(app, exit);
  RegisterKv(app, exit);
  RegisterGroup(app, exit);
  RegisterResolve(app, exit);
  RegisterVersion(app, exit);
  try {  // CLI11 reports everything by throwing, --help too
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  } catch (const nlohmann::json::exception& error) {
    return static_cast<int>(
        Fail({ExitCode::kFailed,
              fmt::format("a reply is not what a server of this version gives: {}", error.what())}));
  }
  return static_cast<int>(exit);
}

}  // namespace quorate::cli

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

// The first word where a subcommand is wanted that is none, or nullptr.
const char* UnknownSubcommand(CLI::App& app, int argc, char** argv) {
  CLI::App* at = &app;
  for (int i = 1; i < argc && argv[i][0] != '-'; ++i) {
    const auto known = at->get_subcommands([](CLI::App*) { return true; });
    if (known.empty()) return nullptr;
    const auto found =
        std::find_if(known.begin(), known.end(), [&](CLI::App* each) { return each->get_name() == argv[i]; });
    if (found == known.end()) return argv[i];
    at = *found;
  }
  return nullptr;
}

}  // namespace

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
  RegisterTsig(app, exit);
  RegisterKv(app, exit);
  RegisterSession(app, exit);
  RegisterGroup(app, exit);
  RegisterMember(app, exit);
  RegisterSnapshot(app, exit);
  RegisterRecover(app, exit);
  RegisterResolve(app, exit);
  RegisterVersion(app, exit);
  try {  // CLI11 reports everything by throwing, --help too
    app.parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    if (const char* unknown = UnknownSubcommand(app, argc, argv)) {
      return static_cast<int>(
          Fail({ExitCode::kUsage,
                fmt::format("there is no subcommand `{}`; `quorate --help` lists them", unknown)}));
    }
    return app.exit(error) == 0 ? 0 : static_cast<int>(ExitCode::kUsage);
  } catch (const nlohmann::json::exception& error) {
    return static_cast<int>(
        Fail({ExitCode::kFailed,
              fmt::format("a reply is not what a server of this version gives: {}", error.what())}));
  } catch (const std::exception& error) {
    return static_cast<int>(Fail({ExitCode::kFailed, error.what()}));
  }
  return static_cast<int>(exit);
}

}  // namespace quorate::cli

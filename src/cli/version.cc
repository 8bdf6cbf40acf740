#include <fmt/format.h>

#include <CLI/CLI.hpp>

#include "cli/commands.h"

namespace quorate::cli {

void RegisterVersion(CLI::App& app, ExitCode&) {
  CLI::App* command = app.add_subcommand("version", "Say which version this is");
  command->footer("Examples:\n  quorate version");
  command->callback([] { fmt::print("quorate {}\n", QUORATE_VERSION); });
}

}  // namespace quorate::cli

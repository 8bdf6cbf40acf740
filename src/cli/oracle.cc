#include "oracle/oracle.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "base/status_macros.h"
#include "cli/commands.h"

namespace quorate::cli {

void RegisterOracle(CLI::App& app, ExitCode& exit) {
  CLI::App* command = app.add_subcommand("oracle", "Run the Oracle, which forms the groups of a deployment");
  auto options = std::make_shared<oracle::OracleOptions>();
  command->add_option("--listen", options->listen, "ip:port or [ip6]:port, loopback only")
      ->capture_default_str();
  command->add_option("--data", options->data_dir, "Directory that keeps its state, made if missing")
      ->required();
  command->footer(
      "Examples:\n"
      "  quorate oracle --data oracle-data\n"
      "  quorate oracle --data oracle-data --listen '[::1]:8050'");
  command->callback([options, &exit] {
    const absl::Status status = oracle::RunOracle(*options);
    if (status.ok()) return;
    fmt::print(stderr, "quorate oracle: {}\n", MessageOf(status));
    exit = ExitCode::kFailed;
  });
}

}  // namespace quorate::cli

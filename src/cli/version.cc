#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <memory>

#include "cli/commands.h"

namespace quorate::cli {

void RegisterVersion(CLI::App& app, ExitCode&) {
  CLI::App* command = app.add_subcommand("version", "Say which version this is");
  command->footer("Examples:\n  quorate version\n  quorate version -o json");
  const auto format = std::make_shared<std::string>("text");
  command->add_option("-o,--format", *format, "How to print")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->callback([format] {
    if (*format == "json") {
      fmt::print("{{\"version\": \"{}\"}}\n", QUORATE_VERSION);
    } else {
      fmt::print("quorate {}\n", QUORATE_VERSION);
    }
  });
}

}  // namespace quorate::cli

// `quorate resolve`: real DNS from the root down.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <nlohmann/json.hpp>

#include "base/status_macros.h"
#include "cli/commands.h"
#include "cli/rdata_arguments.h"
#include "cli/resolver.h"
#include "cli/target.h"
#include "dns/presentation.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

struct ResolveArguments {
  std::string name, type = "A", format = "text";
  std::vector<std::string> roots;
  uint16_t port = 0;
  double timeout_s = 2;
  bool trace = false;
};

ExitCode CodeOf(ResolveOutcome outcome) {
  switch (outcome) {
    case ResolveOutcome::kAnswer:
      return ExitCode::kOk;
    case ResolveOutcome::kNoData:
    case ResolveOutcome::kNxDomain:
      return ExitCode::kNotFound;
    case ResolveOutcome::kFailed:
      return ExitCode::kUnavailable;
  }
  return ExitCode::kFailed;
}

json ToJson(const ResolveResult& result) {
  json answer = json::array(), steps = json::array();
  for (const wire::Record& record : result.answer) {
    answer.push_back({{"name", record.name.ToText()},
                      {"type", dns::TypeToText(record.type)},
                      {"ttl", record.ttl},
                      {"content", dns::RdataToText(record.type, record.rdata)}});
  }
  for (const ResolveStep& step : result.steps) {
    steps.push_back({{"server", step.server},
                     {"zone", step.zone},
                     {"question", step.question},
                     {"outcome", step.outcome},
                     {"detail", step.detail},
                     {"millis", step.millis}});
  }
  json out = {{"outcome", OutcomeText(result.outcome)}, {"answer", answer}, {"steps", steps}};
  if (!result.error.empty()) out["error"] = result.error;
  return out;
}

void Print(const ResolveResult& result) {
  for (const wire::Record& record : result.answer) {
    fmt::print("{} {} IN {} {}\n", record.name.ToText(), record.ttl, dns::TypeToText(record.type),
               dns::RdataToText(record.type, record.rdata));
  }
}

CliResult<ResolveOptions> OptionsOf(const ResolveArguments& arguments) {
  ResolveOptions options;
  const auto name = NameArgument(arguments.name);
  if (!name.ok()) return name.error();
  options.name = *name;
  const auto type = TypeArgument(arguments.type);
  if (!type.ok()) return type.error();
  options.type = *type;
  for (const std::string& root : arguments.roots) {
    const auto address = ParseServer(root);
    if (!address.ok()) return CliError{ExitCode::kUsage, "--root: " + MessageOf(address.status())};
    options.roots.push_back(*address);
  }
  options.port = arguments.port;
  options.timeout = std::chrono::milliseconds(static_cast<int64_t>(arguments.timeout_s * 1000));
  return options;
}

ExitCode Run(const ResolveArguments& arguments) {
  const auto options = OptionsOf(arguments);
  if (!options.ok()) return Fail(options.error());
  const ResolveResult result =
      Resolve(*options, arguments.trace && arguments.format == "text" ? &std::cout : nullptr);
  std::cout.flush();
  if (arguments.format == "json") {
    fmt::print("{}\n", ToJson(result).dump(2, ' ', false, json::error_handler_t::replace));
  } else {
    Print(result);
  }
  const ExitCode code = result.alias_loop ? ExitCode::kFailed : CodeOf(result.outcome);
  if (code == ExitCode::kOk) return code;
  const std::string why = result.error.empty() ? OutcomeText(result.outcome) : result.error;
  return Fail({code, fmt::format("{} {}: {}", options->name.ToText(), dns::TypeToText(options->type), why)});
}

}  // namespace

void RegisterResolve(CLI::App& app, ExitCode& exit) {
  CLI::App* command = app.add_subcommand("resolve", "Walk from the root to an answer, as a resolver would");
  const auto arguments = std::make_shared<ResolveArguments>();
  command->add_option("name", arguments->name, "What to look up")->required();
  command->add_option("type", arguments->type, "A, AAAA, MX, ...")->capture_default_str();
  command->add_option("--root", arguments->roots, "Address of a root server, ip[:port]; repeatable")
      ->required()
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--port", arguments->port,
                      "Port of servers found on the way (default: the first root's)");
  command->add_option("--timeout", arguments->timeout_s, "Seconds for one try at one server")
      ->check(CLI::Range(0.05, 60.0))
      ->capture_default_str();
  command->add_flag("--trace", arguments->trace, "Print each step");
  command->add_option("-o,--format", arguments->format, "How to print")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  command->footer(
      "Examples:\n"
      "  quorate resolve www.example.org --root 127.0.1.1:5353 --trace\n"
      "  quorate resolve example.org MX --root [::1]:5353 -o json");
  command->callback([=, &exit] { exit = Run(*arguments); });
}

}  // namespace quorate::cli

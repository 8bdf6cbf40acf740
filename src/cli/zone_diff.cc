// `quorate zone diff` and `zone check`: what a file would change, and what is wrong with it.
#include "cli/zone_diff.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>

#include "cli/zone_check.h"
#include "cli/zone_command.h"
#include "zone/settings.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

json FaultsToJson(const std::vector<dns::TextError>& faults) {
  json out = json::array();
  for (const dns::TextError& fault : faults) {
    out.push_back(
        {{"file", fault.file}, {"line", fault.line}, {"column", fault.column}, {"reason", fault.what}});
  }
  return out;
}

// A file is mostly called as its zone is.
CliResult<dns::Name> OriginOf(const std::string& given, const std::string& file) {
  if (!given.empty()) return NameArgument(given);
  const std::filesystem::path path(file);
  const std::string extension = path.extension().string();
  const bool known = extension == ".zone" || extension == ".db" || extension == ".txt";
  const std::string name = known ? path.stem().string() : path.filename().string();
  auto origin = NameArgument(name);
  if (file == "-" || name.empty() || !origin.ok())
    return CliError{ExitCode::kUsage, "say which zone the file is of, with --origin"};
  return origin;
}

struct CheckArguments {
  std::string file, origin, format = "text";
  uint32_t default_ttl = zone::Settings().default_ttl;
};

ExitCode Check(const CheckArguments& arguments) {
  const auto origin = OriginOf(arguments.origin, arguments.file);
  if (!origin.ok()) return Fail(origin.error());
  const auto file = ZoneFile::Open(arguments.file);
  if (!file.ok()) return Fail(file.error());
  const ZoneFaults faults = CheckZone(*file, *origin, arguments.default_ttl);
  const bool good = faults.errors.empty();
  if (arguments.format == "json") {
    const json result = {{"zone", origin->ToText()},
                         {"records", faults.records},
                         {"serial", faults.zone ? json(faults.zone->serial().value) : json()},
                         {"errors", FaultsToJson(faults.errors)},
                         {"more_errors", faults.more},
                         {"warnings", FaultsToJson(faults.warnings)}};
    fmt::print("{}\n", result.dump(2));
  } else {
    PrintFaults(faults);
    fmt::print("{}: {} records, {} error{}, {} warning{}\n", origin->ToText(), faults.records,
               faults.errors.size(), faults.errors.size() == 1 ? "" : "s", faults.warnings.size(),
               faults.warnings.size() == 1 ? "" : "s");
  }
  return good ? ExitCode::kOk : ExitCode::kFailed;
}

struct DiffArguments : ZoneArguments {
  std::string other, origin;
};

CliResult<ZoneLines> LinesOfFile(const std::string& path, const dns::Name& zone, uint32_t default_ttl) {
  const auto file = ZoneFile::Open(path);
  if (!file.ok()) return file.error();
  return LinesOf(*file, zone, default_ttl);
}

ExitCode PrintDifference(const ZoneDifference& difference, const std::string& label, bool as_json) {
  if (as_json) {
    fmt::print("{}\n", json({{"zone", label},
                             {"removed", difference.removed},
                             {"added", difference.added},
                             {"lines", difference.lines}})
                           .dump(2));
  } else {
    for (const std::string& line : difference.lines) fmt::print("{}\n", line);
  }
  return difference.lines.empty() ? ExitCode::kOk : ExitCode::kFailed;
}

ExitCode DiffFiles(const DiffArguments& arguments) {
  const auto zone = NameArgument(arguments.origin);
  if (!zone.ok()) return Fail(zone.error());
  const uint32_t ttl = zone::Settings().default_ttl;
  const auto before = LinesOfFile(arguments.zone, *zone, ttl);
  if (!before.ok()) return Fail(before.error());
  const auto after = LinesOfFile(arguments.other, *zone, ttl);
  if (!after.ok()) return Fail(after.error());
  return PrintDifference(Difference(*before, *after), zone->ToText(), arguments.target->json());
}

ExitCode Diff(const DiffArguments& arguments) {
  if (!arguments.origin.empty()) return DiffFiles(arguments);
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  ExitCode exit = ExitCode::kOk;
  for (const GroupZone& at : *holders) {
    const auto exported = ExportFrom(at, *arguments.target, arguments.consistency);
    if (!exported.ok()) return Fail(exported.error());
    const auto before = LinesOfText(exported->text, *zone);
    if (!before.ok()) return Fail(before.error());
    const auto after = LinesOfFile(arguments.other, *zone, DefaultTtlAt(at, *arguments.target));
    if (!after.ok()) return Fail(after.error());
    if (holders->size() > 1 && !arguments.target->json()) fmt::print("# {}\n", at.group.Label());
    exit =
        Worse(exit, PrintDifference(Difference(*before, *after), zone->ToText(), arguments.target->json()));
  }
  return exit;
}

}  // namespace

void ZoneLines::Add(const dns::TextRecord& record) {
  lines_.push_back(
      {record.owner.CanonicalKey() + '\0' + std::to_string(10000 + static_cast<int>(record.type)),
       fmt::format("{} {} IN {} {}", record.owner.ToText(), record.ttl, dns::TypeToText(record.type),
                   dns::RdataToText(record.type, record.rdata))});
}

void ZoneLines::Sort() {
  std::sort(lines_.begin(), lines_.end());
  lines_.erase(std::unique(lines_.begin(), lines_.end()), lines_.end());
}

CliResult<ZoneLines> LinesOf(const ZoneFile& file, const dns::Name& zone, uint32_t default_ttl) {
  ZoneLines out;
  std::optional<dns::TextError> first;
  const auto reader = file.Read(
      zone, default_ttl,
      [&](dns::TextRecord&& record) {
        out.Add(record);
        return std::string();
      },
      [&](dns::TextError&& error) {
        first = std::move(error);
        return false;
      });
  while (reader->Step()) {
  }
  if (first) {
    return CliError{ExitCode::kFailed,
                    ToText(*first) + "; `quorate zone check` tells all that is wrong with it"};
  }
  out.Sort();
  return out;
}

CliResult<ZoneLines> LinesOfText(const std::string& text, const dns::Name& zone) {
  ZoneLines out;
  const auto error =
      dns::ParseZoneText(text, {.origin = zone, .split_long_strings = true}, [&](dns::TextRecord&& record) {
        out.Add(record);
        return std::string();
      });
  if (error) return CliError{ExitCode::kFailed, "what the server gave is no zone: " + ToText(*error)};
  out.Sort();
  return out;
}

ZoneDifference Difference(const ZoneLines& before, const ZoneLines& after) {
  ZoneDifference out;
  auto b = before.lines().begin(), a = after.lines().begin();
  while (b != before.lines().end() || a != after.lines().end()) {
    const bool at_end = a == after.lines().end();
    if (b != before.lines().end() && (at_end || *b < *a)) {
      out.lines.push_back("- " + b++->text);
      ++out.removed;
    } else if (b == before.lines().end() || *a < *b) {
      out.lines.push_back("+ " + a++->text);
      ++out.added;
    } else {
      ++a, ++b;
    }
  }
  return out;
}

void AddZoneCheck(CLI::App& zone, ExitCode& exit) {
  const auto arguments = std::make_shared<CheckArguments>();
  CLI::App* check = zone.add_subcommand("check", "Tell all that is wrong with a zone file; asks no server");
  check->add_option("file", arguments->file, "Master file, or - for stdin")->required();
  check->add_option("--origin", arguments->origin,
                    "The zone (default: the name of the file without .zone, .db or .txt)");
  check->add_option("--default-ttl", arguments->default_ttl, "Of records before which no TTL stands")
      ->check(CLI::Range(uint32_t{0}, uint32_t{0x7fffffff}))
      ->capture_default_str();
  check->add_option("-o,--format", arguments->format, "How to print")
      ->check(CLI::IsMember({"text", "json"}))
      ->capture_default_str();
  check->footer(
      "Errors end it with 1, warnings alone with 0. Each is FILE:LINE:COLUMN: REASON.\n"
      "Examples:\n"
      "  quorate zone check example.org.zone\n"
      "  quorate zone check db.example --origin example.org. -o json\n"
      "  generate-zone | quorate zone check - --origin example.org.");
  check->callback([arguments, &exit] { exit = Check(*arguments); });
}

void AddZoneDiff(CLI::App& zone, ExitCode& exit) {
  const auto arguments = std::make_shared<DiffArguments>();
  CLI::App* diff =
      zone.add_subcommand("diff", "Print what a file would change: - records go, + records come");
  arguments->target = AddTargetFlags(*diff);
  diff->add_option("zone", arguments->zone, "The zone; with --origin: the file to compare with")->required();
  diff->add_option("file", arguments->other, "Master file, or - for stdin")->required();
  diff->add_option("--origin", arguments->origin, "Compare two files of this zone; asks no server");
  AddConsistencyFlag(*diff, arguments->consistency);
  diff->footer(
      "0: no difference; 1: there is one.\n"
      "Examples:\n"
      "  quorate zone diff example.org. example.org.zone\n"
      "  quorate zone diff old.zone new.zone --origin example.org.");
  diff->callback([arguments, &exit] { exit = Diff(*arguments); });
}

}  // namespace quorate::cli

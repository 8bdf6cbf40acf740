// `quorate zone`: whole zones.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iostream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "base/consistency.h"
#include "cli/commands.h"
#include "cli/report.h"
#include "cli/target.h"
#include "cli/zone_secondary.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

constexpr const char* kZones = "/api/v1/servers/localhost/zones";

struct ZoneArguments {
  std::shared_ptr<Target> target;
  std::string zone, file, consistency;
  std::vector<std::string> nameservers, settings, primaries;
  bool secondary = false, catalog = false;
  int64_t if_revision = -1;
};
using Arguments = std::shared_ptr<ZoneArguments>;

// The groups that serve the zone; for a new one those that serve the zone it will be in.
CliResult<std::vector<GroupZone>> Holders(const ZoneArguments& arguments, const dns::Name& zone,
                                          bool may_be_new) {
  auto groups = arguments.target->Groups();
  if (!groups.ok()) return groups.error();
  auto holders = GroupsOfZone(*groups, zone);
  if (!holders.empty()) return holders;
  if (!may_be_new) {
    return CliError{
        ExitCode::kNotFound,
        fmt::format("no group serves the zone {}; `quorate zone list` shows the zones", zone.ToText())};
  }
  if (!arguments.target->server.empty() || !arguments.target->group.empty()) {
    for (const Group& group : *groups) holders.push_back({group, zone});
  } else {
    holders = ChooseGroups(*groups, zone, dns::RRType::kDS);
    for (GroupZone& holder : holders) holder.zone = zone;
  }
  if (!holders.empty()) return holders;
  return CliError{ExitCode::kUsage,
                  fmt::format("no group serves a parent of {}: say which with --group", zone.ToText())};
}

GroupRequest Conditional(GroupRequest request, int64_t if_revision) {
  if (if_revision >= 0) request.headers.emplace_back("If-Match", fmt::format("\"{}\"", if_revision));
  return request;
}

ExitCode Create(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  json nameservers = json::array();
  for (const std::string& text : arguments.nameservers) {
    const auto name = NameArgument(text);
    if (!name.ok()) return Fail(name.error());
    nameservers.push_back(name->ToText());
  }
  const auto holders = Holders(arguments, *zone, true);
  if (!holders.ok()) return Fail(holders.error());
  if (arguments.secondary) return CreateSecondary(*arguments.target, *zone, *holders, arguments.primaries, arguments.catalog);
  if (arguments.catalog) return CreateCatalog(*arguments.target, *zone, *holders);
  const GroupRequest request{
      .method = "POST",
      .path = std::string(kZones) + "?rrsets=false",
      .body = json({{"name", zone->ToText()}, {"kind", "Native"}, {"nameservers", nameservers}}).dump()};
  return WriteToAll(GroupClient(arguments.target->Policy()), *holders, request, "created",
                    arguments.target->json());
}

ExitCode Delete(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  return WriteToAll(GroupClient(arguments.target->Policy()), *holders,
                    Conditional({.method = "DELETE", .path = ZonePath(*zone)}, arguments.if_revision),
                    "deleted", arguments.target->json());
}

CliResult<std::string> ReadAll(const std::string& file) {
  if (file == "-") return std::string(std::istreambuf_iterator<char>(std::cin), {});
  std::error_code ignored;
  if (std::filesystem::is_directory(file, ignored))
    return CliError{ExitCode::kFailed, fmt::format("cannot read {}: it is a directory", file)};
  std::ifstream in(file, std::ios::binary);
  if (!in) return CliError{ExitCode::kFailed, fmt::format("cannot read {}: {}", file, std::strerror(errno))};
  std::string text(std::istreambuf_iterator<char>(in), {});
  if (in.bad()) return CliError{ExitCode::kFailed, fmt::format("cannot read {}", file)};
  return text;
}

// What is going on, where somebody watches.
void Progress(const std::string& what) {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "{}\n", what);
}

// "file:4:17: reason" where the server named a place in the text.
CliError ImportError(const HttpReply& reply, const std::string& file) {
  const json body = json::parse(reply.body, nullptr, false);
  if (body.is_object() && body.contains("line") && body.contains("reason") && body["line"].is_number() &&
      body["reason"].is_string()) {
    return {ExitCode::kFailed, fmt::format("{}:{}:{}: {}; nothing was changed", file == "-" ? "stdin" : file,
                                           body["line"].get<uint64_t>(), body.value("column", uint64_t{1}),
                                           body["reason"].get<std::string>())};
  }
  return ErrorOf(reply);
}

std::string ImportText(const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  if (!body.is_object()) return "imported";
  return fmt::format("imported: {} RRsets added, {} changed, {} removed", body.value("rrsets_added", 0),
                     body.value("rrsets_changed", 0), body.value("rrsets_removed", 0));
}

// A whole zone may take minutes. Without --timeout an attempt gets them, and only the retries end early.
CallPolicy WholeZonePolicy(const Target& target) {
  CallPolicy policy = target.Policy();
  policy.attempt = target.timeout_given ? policy.overall : Duration(std::chrono::seconds(120));
  policy.attempt_may_outlast = !target.timeout_given;
  return policy;
}

ExitCode Import(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  auto text = ReadAll(arguments.file);
  if (!text.ok()) return Fail(text.error());
  const auto holders = Holders(arguments, *zone, true);
  if (!holders.ok()) return Fail(holders.error());
  const GroupRequest request = Conditional({.method = "PUT",
                                            .path = ZonePath(*zone) + "/zonefile",
                                            .body = *std::move(text),
                                            .content_type = "text/dns"},
                                           arguments.if_revision);
  const CallPolicy policy = WholeZonePolicy(*arguments.target);
  const GroupClient client(policy);
  Report report(arguments.target->json());
  for (size_t i = 0; i < holders->size(); ++i) {
    const GroupZone& at = (*holders)[i];
    Progress(fmt::format("[{}/{}] {}: importing {} bytes ...", i + 1, holders->size(), at.group.Label(),
                         request.body.size()));
    const GroupReply reply = client.Call(at.group, request);
    if (!reply.ok()) {
      report.Failed(at, reply.error());
    } else if (reply->status != 200) {
      report.Failed(at, ImportError(*reply, arguments.file));
    } else {
      report.Applied(at, ImportText(*reply), *reply);
    }
  }
  return report.Finish();
}

ExitCode WriteOut(const std::string& text, const std::string& file) {
  if (file.empty() || file == "-") {
    const bool written =
        std::fwrite(text.data(), 1, text.size(), stdout) == text.size() && std::fflush(stdout) == 0;
    return written ? ExitCode::kOk : Fail({ExitCode::kFailed, "cannot write to stdout"});
  }
  std::ofstream out(file, std::ios::binary);
  out << text;
  out.close();
  if (!out) return Fail({ExitCode::kFailed, fmt::format("cannot write {}: {}", file, std::strerror(errno))});
  return ExitCode::kOk;
}

// The zone of the first region that answers.
ExitCode Export(const ZoneArguments& arguments) {
  if (arguments.target->json())
    return Fail({ExitCode::kUsage, "an export is a master file, not JSON: leave -o json out"});
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  const CallPolicy policy = WholeZonePolicy(*arguments.target);
  ExitCode exit = ExitCode::kUnavailable;
  for (const GroupZone& at : *holders) {
    const GroupReply reply = GroupClient(policy).Call(
        at.group, {.path = ZonePath(*zone) + "/export" + ConsistencyQuery(arguments.consistency)});
    if (reply.ok() && reply->status == 200) return WriteOut(reply->body, arguments.file);
    exit = Fail(reply.ok() ? ErrorOf(*reply) : reply.error());
  }
  return exit;
}

CliResult<json> SettingsOf(const std::vector<std::string>& texts) {
  json settings = json::object();
  for (const std::string& text : texts) {
    const size_t equals = text.find('=');
    const std::string name = text.substr(0, equals);
    if (equals == text.npos || name != "consistency") {
      return CliError{ExitCode::kUsage,
                      fmt::format("`{}` is no setting: consistency=VALUE is the one there is", text)};
    }
    const std::string value = text.substr(equals + 1);
    if (!ParseConsistency(value)) {
      return CliError{ExitCode::kUsage,
                      fmt::format("`{}` is no consistency: it is linearizable, bounded=5s (whole seconds, a "
                                  "day at most) or local",
                                  value)};
    }
    settings[name] = value;
  }
  return settings;
}

ExitCode Set(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto settings = SettingsOf(arguments.settings);
  if (!settings.ok()) return Fail(settings.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  return WriteToAll(GroupClient(arguments.target->Policy()), *holders,
                    Conditional({.method = "PUT", .path = ZonePath(*zone), .body = settings->dump()},
                                arguments.if_revision),
                    "set", arguments.target->json());
}

ExitCode Show(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  const GroupClient client(arguments.target->Policy());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const GroupZone& at : *holders) {
    const GroupReply reply = client.Call(at.group, {.path = ZonePath(*zone) + "?rrsets=false"});
    json shown = reply.ok() && reply->status == 200 ? json::parse(reply->body, nullptr, false) : json();
    if (!shown.is_object()) {
      exit = Worse(exit, Fail(reply.ok() ? ErrorOf(*reply) : reply.error()));
      continue;
    }
    if (!arguments.target->json()) {
      fmt::print("{} serial {} revision {} consistency={} {}\n", shown.value("name", ""),
                 shown.value("serial", 0u), shown.value("revision", uint64_t{0}),
                 shown.value("consistency", ""), at.group.Label());
    }
    shown["region"] = at.group.region;
    shown["group"] = at.group.name;
    results.push_back(std::move(shown));
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"zones", std::move(results)}}).dump(2));
  return exit;
}

ExitCode List(const ZoneArguments& arguments) {
  auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  const GroupClient client(arguments.target->Policy());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const Group& group : *groups) {
    const GroupReply reply = client.Call(group, {.path = kZones + ConsistencyQuery(arguments.consistency)});
    if (!reply.ok() || reply->status != 200) {
      exit = Worse(exit, Fail(reply.ok() ? ErrorOf(*reply) : reply.error()));
      continue;
    }
    const json zones = json::parse(reply->body, nullptr, false);
    if (!zones.is_array())
      return Fail({ExitCode::kFailed, group.Label() + " gave no list of zones; is it a replica?"});
    for (const json& zone : zones) {
      if (!arguments.target->json()) {
        fmt::print("{:<30} serial {:<10} revision {:<8} {}\n", zone.value("name", ""),
                   zone.value("serial", 0u), zone.value("revision", uint64_t{0}), group.Label());
      }
      json result = zone;
      result["region"] = group.region;
      result["group"] = group.name;
      results.push_back(std::move(result));
    }
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"zones", std::move(results)}}).dump(2));
  return exit;
}

struct Command {
  CLI::App* app;
  Arguments arguments;
};

Command Add(CLI::App& zone, const char* name, const char* help, const char* examples, ExitCode& exit,
            ExitCode (*run)(const ZoneArguments&)) {
  Command command{zone.add_subcommand(name, help), std::make_shared<ZoneArguments>()};
  command.arguments->target = AddTargetFlags(*command.app);
  command.app->footer(std::string("Examples:\n") + examples);
  command.app->callback([arguments = command.arguments, run, &exit] { exit = run(*arguments); });
  return command;
}

void AddZoneArgument(const Command& command) {
  command.app->add_option("zone", command.arguments->zone, "The zone, absolute also without the final dot")
      ->required();
}
void AddIfRevision(const Command& command) {
  command.app
      ->add_option("--if-revision", command.arguments->if_revision, "Only if the zone has not changed since")
      ->check(CLI::NonNegativeNumber);
}

}  // namespace

void RegisterZone(CLI::App& app, ExitCode& exit) {
  CLI::App* zone = app.add_subcommand("zone", "Create, import, export, show, set, list and delete zones");
  zone->require_subcommand(1);
  zone->footer(kExitCodeHelp);

  const Command create =
      Add(*zone, "create", "Make a new zone with SOA and NS",
          "  quorate zone create example.org. --ns ns1.example.org. --ns ns2.example.org.\n"
          "  quorate zone create example.net --group org\n"
          "  quorate zone create example.com --secondary --primary 192.0.2.1+key:xfr.example.\n"
          "  quorate zone create catalog.invalid --catalog",
          exit, &Create);
  AddZoneArgument(create);
  create.app
      ->add_option("--ns", create.arguments->nameservers,
                   "A nameserver; repeatable (default: ns1 in the zone)")
      ->take_all()
      ->allow_extra_args(false);
  CLI::Option* secondary =
      create.app->add_flag("--secondary", create.arguments->secondary, "Copy it from its --primary, and follow it");
  create.app
      ->add_option("--primary", create.arguments->primaries,
                   "ADDRESS[@PORT][+key:NAME][+tls], asked in this order; repeatable")
      ->take_all()
      ->allow_extra_args(false)
      ->needs(secondary);
  create.app->add_flag("--catalog", create.arguments->catalog,
                       "A catalog zone (RFC 9432): of the zones that have `catalog=` it; with --secondary: one "
                       "whose members become secondary zones here");

  const Command import = Add(*zone, "import", "Make a zone be what a master file says, in one change",
                             "  quorate zone import . root.zone\n"
                             "  generate-zone | quorate zone import example.org. -",
                             exit, &Import);
  AddZoneArgument(import);
  import.app->add_option("file", import.arguments->file, "Master file, or - for stdin")->required();
  AddIfRevision(import);

  const Command export_command = Add(*zone, "export", "Print a zone as a master file",
                                     "  quorate zone export example.org.\n"
                                     "  quorate zone export . --output root.zone",
                                     exit, &Export);
  AddZoneArgument(export_command);
  export_command.app->add_option("--output", export_command.arguments->file,
                                 "Write to this file, not to stdout");
  AddConsistencyFlag(*export_command.app, export_command.arguments->consistency);

  const Command show = Add(*zone, "show", "Show a zone's serial, revision and settings",
                           "  quorate zone show example.org.\n"
                           "  quorate zone show example.org. -o json",
                           exit, &Show);
  AddZoneArgument(show);

  const Command set = Add(*zone, "set", "Set what a zone's answers are when linearizable ones cannot be had",
                          "  quorate zone set example.org. consistency=bounded=5s\n"
                          "  quorate zone set example.org. consistency=linearizable --if-revision 17",
                          exit, &Set);
  AddZoneArgument(set);
  set.app
      ->add_option("setting", set.arguments->settings,
                   "consistency=linearizable, =bounded=SECONDSs or =local")
      ->required();
  AddIfRevision(set);

  AddSecondaryCommands(*zone, exit);

  const Command list = Add(*zone, "list", "List the zones of all groups",
                           "  quorate zone list\n"
                           "  quorate zone list --server http://127.0.0.1:8101 -o json",
                           exit, &List);
  AddConsistencyFlag(*list.app, list.arguments->consistency);

  const Command remove = Add(*zone, "delete", "Delete a zone with all its records",
                             "  quorate zone delete example.net.\n"
                             "  quorate zone delete example.net. --if-revision 17",
                             exit, &Delete);
  AddZoneArgument(remove);
  AddIfRevision(remove);
}

}  // namespace quorate::cli

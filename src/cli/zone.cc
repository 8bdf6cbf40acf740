// `quorate zone`: whole zones.
#include <fmt/format.h>
#include <unistd.h>

#include <CLI/CLI.hpp>
#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/report.h"
#include "cli/target.h"
#include "cli/zone_command.h"
#include "cli/zone_secondary.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

constexpr const char* kZones = "/api/v1/servers/localhost/zones";

using Arguments = std::shared_ptr<ZoneArguments>;

}  // namespace

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

void Progress(const std::string& what) {
  if (isatty(STDERR_FILENO)) fmt::print(stderr, "{}\n", what);
}

CallPolicy WholeZonePolicy(const Target& target) {
  CallPolicy policy = target.Policy();
  policy.attempt = target.timeout_given ? policy.overall : Duration(std::chrono::seconds(120));
  policy.attempt_may_outlast = !target.timeout_given;
  return policy;
}

CliResult<ExportedZone> ExportFrom(const GroupZone& at, const Target& target,
                                   const std::string& consistency) {
  GroupReply reply =
      GroupClient(WholeZonePolicy(target))
          .Call(at.group, {.path = ZonePath(at.zone) + "/export" + ConsistencyQuery(consistency)});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  ExportedZone out{.text = std::move(reply->body)};
  const std::string revision = reply->Header("x-quorate-revision");
  std::from_chars(revision.data(), revision.data() + revision.size(), out.revision);
  return out;
}

namespace {

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
  if (arguments.secondary)
    return CreateSecondary(*arguments.target, *zone, *holders, arguments.primaries, arguments.catalog);
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
  ExitCode exit = ExitCode::kUnavailable;
  for (const GroupZone& at : *holders) {
    const auto exported = ExportFrom(at, *arguments.target, arguments.consistency);
    if (exported.ok()) return WriteOut(exported->text, arguments.file);
    exit = Fail(exported.error());
  }
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
  CLI::App* zone = app.add_subcommand(
      "zone", "Create, import, export, check, diff, edit, show, set, list and delete zones");
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
  CLI::Option* secondary = create.app->add_flag("--secondary", create.arguments->secondary,
                                                "Copy it from its --primary, and follow it");
  create.app
      ->add_option("--primary", create.arguments->primaries,
                   "ADDRESS[@PORT][+key:NAME][+tls], asked in this order; repeatable")
      ->take_all()
      ->allow_extra_args(false)
      ->needs(secondary);
  create.app->add_flag(
      "--catalog", create.arguments->catalog,
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

  const Command show = Add(*zone, "show", "Show a zone's serial, revision and all its settings",
                           "  quorate zone show example.org.\n"
                           "  quorate zone show example.org. -o json",
                           exit, &ShowZone);
  AddZoneArgument(show);

  const Command set =
      Add(*zone, "set", "Set who may do what with a zone, whom it tells, how its serial grows, ...",
          "  quorate zone set example.org. transfer=key:xfr.,net:192.0.2.0/24 "
          "also-notify=192.0.2.53+key:xfr.\n"
          "  quorate zone set example.org. update=key:ddns. serial=dateserial default-ttl=300\n"
          "  quorate zone set example.org. consistency=bounded=5s --if-revision 17",
          exit, &SetZone);
  AddZoneArgument(set);
  set.app
      ->add_option(
          "setting", set.arguments->settings,
          "NAME=VALUE: consistency, query, update, transfer, notify, also-notify, primaries, serial, "
          "minimal-responses, default-ttl, ...; `zone show` prints them all")
      ->required();
  AddIfRevision(set);

  AddSecondaryCommands(*zone, exit);
  AddZoneCheck(*zone, exit);
  AddZoneDiff(*zone, exit);
  AddZoneEdit(*zone, exit);

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

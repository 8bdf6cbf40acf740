#include "cli/zone_secondary.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/leader.h"
#include "cli/report.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

struct Arguments {
  std::shared_ptr<Target> target;
  std::string zone;
};

CliResult<std::vector<GroupZone>> Holders(const Arguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return zone.error();
  const auto groups = arguments.target->Groups();
  if (!groups.ok()) return groups.error();
  auto holders = GroupsOfZone(*groups, *zone);
  if (!holders.empty()) return holders;
  return CliError{
      ExitCode::kNotFound,
      fmt::format("no group serves the zone {}; `quorate zone list` shows the zones", zone->ToText())};
}

ExitCode Put(const Arguments& arguments, const char* what, const char* done) {
  const auto holders = Holders(arguments);
  if (!holders.ok()) return Fail(holders.error());
  return WriteToAll(GroupClient(arguments.target->Policy()), *holders,
                    {.method = "PUT", .path = ZonePath(holders->front().zone) + what}, done,
                    arguments.target->json());
}

ExitCode Promote(const Arguments& arguments) { return Put(arguments, "/promote", "promoted"); }
ExitCode Refresh(const Arguments& arguments) { return Put(arguments, "/axfr-retrieve", "asked for"); }

std::string StatusText(const json& status) {
  std::string text = fmt::format("{} {}", status.value("name", ""), status.value("kind", ""));
  if (status.contains("serial")) text += fmt::format(" serial {}", status.value("serial", 0u));
  if (status.value("kind", "") != "Secondary") return text;
  text += fmt::format(" {}", status.value("state", ""));
  for (const json& primary : status.value("primaries", json::array()))
    text += " from " + primary.get<std::string>();
  if (status.contains("seconds_since_check"))
    text += fmt::format(", checked {} s ago", status.value("seconds_since_check", 0));
  if (status.value("under_way", false)) {
    text += ", being asked now";
  } else if (status.contains("seconds_until_next")) {
    text += fmt::format(", next in {} s", status.value("seconds_until_next", 0));
  }
  if (const std::string error = status.value("error", ""); !error.empty()) text += "\n  last error: " + error;
  return text;
}

ExitCode Status(const Arguments& arguments) {
  const auto holders = Holders(arguments);
  if (!holders.ok()) return Fail(holders.error());
  const GroupClient client(arguments.target->Policy());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const GroupZone& at : *holders) {
    // The leader knows when it will ask again, the others what is replicated.
    const std::string path = ZonePath(at.zone) + "/transfer";
    json shown;
    if (const auto leader = AskLeader(client, at.group, path); leader.ok()) {
      shown = leader->body;
    } else {
      const GroupReply reply = client.Call(at.group, {.path = path});
      shown = reply.ok() && reply->status == 200 ? json::parse(reply->body, nullptr, false) : json();
      if (!shown.is_object()) {
        exit = Fail(reply.ok() ? ErrorOf(*reply) : reply.error());
        continue;
      }
    }
    if (!arguments.target->json()) fmt::print("{} {}\n", StatusText(shown), at.group.Label());
    shown["region"] = at.group.region;
    shown["group"] = at.group.name;
    results.push_back(std::move(shown));
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"zones", std::move(results)}}).dump(2));
  return exit;
}

void Add(CLI::App& zone, const char* name, const char* help, const char* example, ExitCode& exit,
         ExitCode (*run)(const Arguments&)) {
  CLI::App* command = zone.add_subcommand(name, help);
  const auto arguments = std::make_shared<Arguments>();
  arguments->target = AddTargetFlags(*command);
  command->add_option("zone", arguments->zone, "The zone, absolute also without the final dot")->required();
  command->footer(std::string("Examples:\n") + example);
  command->callback([arguments, run, &exit] { exit = run(*arguments); });
}

}  // namespace

ExitCode CreateSecondary(const Target& target, const dns::Name& zone, const std::vector<GroupZone>& holders,
                         const std::vector<std::string>& primaries, bool catalog) {
  if (primaries.empty()) {
    return Fail({ExitCode::kUsage, "a secondary zone needs a --primary ADDRESS[@PORT][+key:NAME][+tls]"});
  }
  const GroupRequest request{.method = "PUT",
                             .path = ZonePath(zone) + "/secondary",
                             .body = json({{"primaries", primaries}, {"catalog", catalog}}).dump()};
  return WriteToAll(GroupClient(target.Policy()), holders, request,
                    "created; `quorate zone status` says when it is loaded", target.json());
}

ExitCode CreateCatalog(const Target& target, const dns::Name& zone, const std::vector<GroupZone>& holders) {
  const GroupClient client(target.Policy());
  const GroupRequest create{
      .method = "POST",
      .path = "/api/v1/servers/localhost/zones?rrsets=false",
      .body = json({{"name", zone.ToText()}, {"kind", "Native"}, {"nameservers", {"invalid."}}}).dump()};
  Report report(target.json());
  for (const GroupZone& at : holders) {
    const GroupReply made = client.Call(at.group, create);
    const GroupReply set =
        made.ok() && made->status / 100 == 2
            ? client.Call(at.group, {.method = "PATCH",
                                     .path = ZonePath(zone) + "/settings",
                                     .body = json({{"catalog-role", "produced"}, {"query", "key:*"}}).dump()})
            : made;
    if (!set.ok()) {
      report.Failed(at, set.error());
    } else if (set->status / 100 != 2) {
      report.Failed(at, ErrorOf(*set));
    } else {
      report.Applied(at, "created", *set);
    }
  }
  return report.Finish();
}

void AddSecondaryCommands(CLI::App& zone, ExitCode& exit) {
  Add(zone, "status", "Show where a zone comes from, and how that goes",
      "  quorate zone status example.com.\n  quorate zone status example.com. -o json", exit, &Status);
  Add(zone, "refresh", "Ask a secondary zone's primary now", "  quorate zone refresh example.com.", exit,
      &Refresh);
  Add(zone, "promote", "Make a secondary zone a primary one, with the content it has",
      "  quorate zone promote example.com.", exit, &Promote);
}

}  // namespace quorate::cli

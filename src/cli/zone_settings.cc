// `quorate zone set` and `zone show`: what is set for a zone beside its records.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "cli/report.h"
#include "cli/zone_command.h"
#include "zone/settings.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

// As the server will look at them, so that what is wrong is told before anything is sent.
CliResult<json> SettingsOf(const std::vector<std::string>& words) {
  json settings = json::object();
  for (const std::string& word : words) {
    const size_t equals = word.find('=');
    if (equals == word.npos || word.find('\n') != word.npos)
      return CliError{ExitCode::kUsage, fmt::format("`{}` is no setting: it is NAME=VALUE", word)};
    const auto valid = zone::WithChanges({}, word);
    // What does not go together may do so with what is set there already.
    const bool together = !valid.ok() && valid.error().starts_with("catalog-role: a ");
    if (!valid.ok() && !together) {
      std::string names;
      for (const auto& [name, value] : zone::AllSettings({})) names += (names.empty() ? "" : ", ") + name;
      return CliError{ExitCode::kUsage, fmt::format("`{}`: {} (settings: {})", word, valid.error(), names)};
    }
    settings[word.substr(0, equals)] = word.substr(equals + 1);
  }
  return settings;
}

void PrintZone(const json& shown, const Group& group) {
  fmt::print("{} serial {} revision {} consistency={} {}\n", shown.value("name", ""),
             shown.value("serial", 0u), shown.value("revision", uint64_t{0}), shown.value("consistency", ""),
             group.Label());
  if (!shown.contains("settings") || !shown["settings"].is_object()) return;
  for (const auto& [name, value] : zone::AllSettings({})) {
    const json& settings = shown["settings"];
    if (!settings.contains(name) || !settings[name].is_string()) continue;
    const std::string text = settings[name].get<std::string>();
    fmt::print("  {}={}{}\n", name, text, text == value ? "" : "   (set)");
  }
}

}  // namespace

uint32_t DefaultTtlAt(const GroupZone& at, const Target& target) {
  const uint32_t otherwise = zone::Settings().default_ttl;
  const GroupReply reply =
      GroupClient(target.Policy()).Call(at.group, {.path = ZonePath(at.zone) + "/settings"});
  const json body = reply.ok() && reply->status == 200 ? json::parse(reply->body, nullptr, false) : json();
  if (!body.is_object() || !body.contains("default-ttl") || !body["default-ttl"].is_string())
    return otherwise;
  const auto settings = zone::WithChanges({}, "default-ttl=" + body["default-ttl"].get<std::string>());
  return settings.ok() ? settings->default_ttl : otherwise;
}

ExitCode SetZone(const ZoneArguments& arguments) {
  const auto zone = NameArgument(arguments.zone);
  if (!zone.ok()) return Fail(zone.error());
  const auto settings = SettingsOf(arguments.settings);
  if (!settings.ok()) return Fail(settings.error());
  const auto holders = Holders(arguments, *zone, false);
  if (!holders.ok()) return Fail(holders.error());
  return WriteToAll(
      GroupClient(arguments.target->Policy()), *holders,
      Conditional({.method = "PATCH", .path = ZonePath(*zone) + "/settings", .body = settings->dump()},
                  arguments.if_revision),
      "set", arguments.target->json());
}

ExitCode ShowZone(const ZoneArguments& arguments) {
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
    if (!arguments.target->json()) PrintZone(shown, at.group);
    shown["region"] = at.group.region;
    shown["group"] = at.group.name;
    results.push_back(std::move(shown));
  }
  if (arguments.target->json()) fmt::print("{}\n", json({{"zones", std::move(results)}}).dump(2));
  return exit;
}

}  // namespace quorate::cli

#include "cli/group_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "cli/group_client.h"
#include "cli/leader.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

constexpr std::array kTimes = {"heartbeat", "election", "lease", "ack_late", "hold"};

std::optional<uint64_t> Number(std::string_view text) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// "800ms", "5s", "1m": milliseconds.
std::optional<uint64_t> Milliseconds(std::string_view text) {
  static constexpr std::array<std::pair<std::string_view, uint64_t>, 3> kUnits = {
      {{"ms", 1}, {"s", 1000}, {"m", 60'000}}};
  for (const auto& [unit, factor] : kUnits) {
    if (!text.ends_with(unit)) continue;
    const auto value = Number(text.substr(0, text.size() - unit.size()));
    if (value && *value > 0 && *value <= 600'000) return *value * factor;
    return std::nullopt;
  }
  return std::nullopt;
}

std::optional<bool> Switch(std::string_view text) {
  if (text == "on") return true;
  if (text == "off") return false;
  return std::nullopt;
}

CliError Wrong(const std::string& word, std::string_view expected) {
  return {ExitCode::kUsage, fmt::format("`{}`: {}", word, expected)};
}

CliResult<json> ParseSetting(const std::string& word) {
  const size_t equals = word.find('=');
  const std::string name = word.substr(0, equals);
  const std::string value = equals == std::string::npos ? "" : word.substr(equals + 1);
  if (name == "leases") {
    if (const auto on = Switch(value)) return json({{"leases", *on}});
    return Wrong(word, "leases=on or leases=off");
  }
  if (name == "preset") {
    if (value == "lan" || value == "wan") return json({{"preset", value}});
    return Wrong(word, "preset=lan or preset=wan");
  }
  if (name == "eligible") {
    const size_t colon = value.find(':');
    const auto id = Number(value.substr(0, colon));
    const auto on = colon == std::string::npos ? std::nullopt : Switch(value.substr(colon + 1));
    if (id && on) return json({{"member", {{"id", *id}, {"lease_eligible", *on}}}});
    return Wrong(word, "eligible=ID:on or eligible=ID:off");
  }
  if (std::find(kTimes.begin(), kTimes.end(), name) != kTimes.end()) {
    if (const auto time = Milliseconds(value)) return json({{"timing", {{name + "_ms", *time}}}});
    return Wrong(word, "a time is a whole number with its unit, as 800ms, 5s or 1m");
  }
  return Wrong(word, fmt::format("there is no such setting; there are leases, preset, eligible, {}",
                                 fmt::join(kTimes, ", ")));
}

// A setting may be sent again: it says how something shall be.
CliResult<json> SetOne(const Target& target, const Group& group, const json& body) {
  const GroupReply reply =
      CallLeader(target, group, {.method = "PATCH", .path = "/api/v1/group", .body = body.dump()});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  return json::parse(reply->body, nullptr, false);
}

}  // namespace

CliResult<std::vector<json>> ParseSettings(const std::vector<std::string>& words) {
  std::vector<json> changes;
  for (const std::string& word : words) {
    auto change = ParseSetting(word);
    if (!change.ok()) return change.error();
    const bool joins = change->contains("timing") && !changes.empty() && changes.back().contains("timing");
    if (joins) {
      changes.back()["timing"].update((*change)["timing"]);
    } else {
      changes.push_back(*std::move(change));
    }
  }
  return changes;
}

ExitCode SetGroups(const Target& target, const std::vector<std::string>& words) {
  const auto changes = ParseSettings(words);
  if (!changes.ok()) return Fail(changes.error());
  const auto groups = target.GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  ExitCode exit = ExitCode::kOk;
  json results = json::array();
  for (const Group& group : *groups) {
    json result = {{"region", group.region}, {"group", group.name}, {"outcome", "changed"}};
    for (const json& change : *changes) {
      const auto changed = SetOne(target, group, change);
      if (!changed.ok()) {
        result["outcome"] = changed.error().code == ExitCode::kUnknown ? "unknown" : "refused";
        result["error"] = changed.error().message;
        exit = Worse(exit, Fail({changed.error().code, group.Label() + ": " + changed.error().message}));
        break;
      }
      result["settings"] = *changed;
    }
    if (!target.json() && result["outcome"] == "changed")
      fmt::print("{}: changed; `quorate group status` shows what came of it\n", group.Label());
    results.push_back(std::move(result));
  }
  if (target.json()) fmt::print("{}\n", json({{"groups", std::move(results)}}).dump(2));
  return exit;
}

}  // namespace quorate::cli

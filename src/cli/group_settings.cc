#include "cli/group_settings.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <nlohmann/json.hpp>
#include <optional>
#include <thread>

#include "cli/group_client.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration kAttempt = std::chrono::seconds(3);  // then the leader is looked for anew
constexpr Duration kPause = std::chrono::milliseconds(50);
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

// Whoever leads, with a door that is known.
CliResult<Replica> FindLeader(const GroupClient& client, const Group& group) {
  const GroupReply reply = client.Call(group, {.path = "/api/v1/group"});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  const json status = json::parse(reply->body, nullptr, false);
  if (!status.is_object() || !status.contains("leader"))
    return CliError{ExitCode::kFailed, group.Label() + " gave no group status; is it a replica?"};
  const auto leader = status.value("leader", uint64_t{0});
  if (leader == 0)
    return CliError{ExitCode::kUnavailable, group.Label() + " has no leader just now; nothing was changed"};
  for (const Replica& replica : group.replicas)
    if (replica.id == leader && !replica.http.empty()) return replica;
  if (status.value("role", "") == "leader" && group.replicas.size() == 1) return group.replicas.front();
  return CliError{ExitCode::kFailed,
                  fmt::format("{}: member {} leads, and where its HTTP door is nobody says: name it with "
                              "--server, or the deployment with --oracle",
                              group.Label(), leader)};
}

// A setting may be sent again: it says how something shall be.
CliResult<json> SetOne(const Target& target, const Group& group, const json& body) {
  CallPolicy policy = target.Policy();
  const SteadyClock::time_point deadline = SteadyClock::now() + policy.overall;
  policy.overall = std::min(policy.overall, kAttempt);
  const GroupClient client(policy);
  for (;;) {
    const bool last = SteadyClock::now() + kPause >= deadline;
    const auto leader = FindLeader(client, group);
    if (leader.ok()) {
      const GroupReply reply = client.Call({group.region, group.name, {}, {*leader}},
                                           {.method = "PATCH", .path = "/api/v1/group", .body = body.dump()});
      if (reply.ok() && reply->status == 200) return json::parse(reply->body, nullptr, false);
      if (reply.ok() && reply->status != 421) return ErrorOf(*reply);
      if (last) return reply.ok() ? ErrorOf(*reply) : reply.error();
    } else if (last || leader.error().code != ExitCode::kUnavailable) {
      return leader.error();
    }
    std::this_thread::sleep_for(kPause);
  }
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

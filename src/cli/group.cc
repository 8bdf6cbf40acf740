// `quorate group`: what the groups are doing, and their settings.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/group_settings.h"
#include "cli/leader.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

constexpr const char* kSetExamples =
    "Settings: leases=on|off; preset=lan|wan; heartbeat, election, lease, ack_late, hold=TIME (800ms, 5s);\n"
    "eligible=ID:on|off (off: this member gets no read lease until it is on again).\n"
    "Examples:\n"
    "  quorate group set leases=off --oracle http://127.0.0.1:8050 --region eu --group org\n"
    "  quorate group set preset=wan --server http://127.0.0.1:8101\n"
    "  quorate group set lease=800ms hold=200ms --server http://127.0.0.1:8101\n"
    "  quorate group set eligible=2:off --server http://127.0.0.1:8101 -o json\n"
    "The leader is found among what --oracle or --server (several, with commas between) name.";

// The value for a cell; "-" where nobody that was asked knows it.
std::string Cell(const json& member, const char* name, const char* unit = "") {
  const auto found = member.find(name);
  if (found == member.end() || found->is_null()) return "-";
  return (found->is_string() ? found->get<std::string>() : found->dump()) + unit;
}

std::string LeasesText(const json& status) {
  if (!status.value("leases", false)) return "off";
  const auto found = status.find("timing");
  return found == status.end() ? "on" : "on, " + Cell(*found, "lease_ms", " ms");
}

void PrintTable(const json& status) {
  fmt::print("  {:>3} {:<13} {:<24} {:>10} {:>6} {:>5} {:>10} {}\n", "id", "role", "address", "match", "lag",
             "level", "lease left", "lease");
  for (const json& member : status.at("members")) {
    std::string lease = Cell(member, "lease_text");
    if (member.value("lease_barred", false)) lease += " (barred by an operator)";
    fmt::print("  {:>3} {:<13} {:<24} {:>10} {:>6} {:>5} {:>10} {}\n", Cell(member, "id"),
               Cell(member, "role"), Cell(member, "address"), Cell(member, "match"), Cell(member, "lag"),
               Cell(member, "feature_level"), Cell(member, "lease_left_ms", " ms"), lease);
  }
  if (status.value("role", "") != "leader") {
    const auto leader = status.value("leader", uint64_t{0});
    fmt::print("  This is what replica {} knows: {}\n", Cell(status, "replica"),
               leader == 0 ? "it knows no leader"
                           : fmt::format("the leader, member {}, could not be asked", leader));
  }
}

void PrintStatus(const Group& group, const json& status) {
  fmt::print(
      "{}: group {}, replica {} ({}), leader {}, term {}, commit {}, applied {}, feature level {}, leases "
      "{}, "
      "zones {}\n",
      group.Label(), status.at("group").value("id", uint64_t{0}), status.value("replica", uint64_t{0}),
      status.value("role", ""), status.value("leader", uint64_t{0}), status.value("term", uint64_t{0}),
      status.value("commit", uint64_t{0}), status.value("applied", uint64_t{0}),
      status.value("feature_level", uint64_t{1}), LeasesText(status),
      fmt::join(status.value("zones", std::vector<std::string>()), " "));
  PrintTable(status);
}

void PrintMembers(const Group& group, const json& status) {
  fmt::print("{}:\n", group.Label());
  PrintTable(status);
}

// How far each member is only its leader knows: asked where somebody says where it is.
CliResult<json> StatusOf(const Target& target, const Group& group) {
  CallPolicy policy = target.Policy();
  policy.overall = std::min<Duration>(policy.overall, std::chrono::milliseconds(100));
  policy.attempt_may_outlast = true;
  policy.attempt = std::chrono::seconds(2);
  if (auto leader = AskLeader(GroupClient(policy), group, "/api/v1/group"); leader.ok())
    return std::move(leader->body);
  const GroupReply reply = GroupClient(target.Policy()).Call(group, {.path = "/api/v1/group"});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  return json::parse(reply->body, nullptr, false);
}

ExitCode Show(const Target& target, bool members) {
  const auto groups = target.GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const Group& group : *groups) {
    const auto reply = StatusOf(target, group);
    if (!reply.ok()) {
      exit = Worse(exit, Fail(reply.error()));
      continue;
    }
    const json& status = *reply;
    if (!status.is_object() || !status.contains("group") || !status.contains("members")) {
      return Fail({ExitCode::kFailed, group.Label() + " gave no group status; is it a replica?"});
    }
    if (!target.json()) (members ? PrintMembers : PrintStatus)(group, status);
    results.push_back(members ? json({{"group", status["group"]}, {"members", status["members"]}}) : status);
  }
  if (target.json()) fmt::print("{}\n", json({{"groups", std::move(results)}}).dump(2));
  return exit;
}

void AddSet(CLI::App& group, ExitCode& exit) {
  CLI::App* command = group.add_subcommand("set", "Change a group's read leases and times");
  const auto words = std::make_shared<std::vector<std::string>>();
  command->add_option("settings", *words, "name=value")->required();
  const auto target = AddTargetFlags(*command);
  command->footer(kSetExamples);
  command->callback([=, &exit] { exit = SetGroups(*target, *words); });
}

void Add(CLI::App& group, ExitCode& exit, const char* name, const char* help, bool members) {
  CLI::App* command = group.add_subcommand(name, help);
  const auto target = AddTargetFlags(*command);
  command->footer(fmt::format(
      "Examples:\n  quorate group {0} --oracle http://127.0.0.1:8050\n  quorate group {0} --server "
      "http://127.0.0.1:8101 -o json",
      name));
  command->callback([=, &exit] { exit = Show(*target, members); });
}

}  // namespace

void RegisterGroup(CLI::App& app, ExitCode& exit) {
  CLI::App* group = app.add_subcommand("group", "Status and settings of nameserver groups");
  group->require_subcommand(1);
  group->footer(kExitCodeHelp);
  Add(*group, exit, "status", "Leader, term, and each member's progress and read lease", false);
  Add(*group, exit, "members", "Members of each group and how far they are", true);
  AddSet(*group, exit);
}

}  // namespace quorate::cli

// `quorate group`: what the groups are doing.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

void PrintStatus(const Group& group, const json& status) {
  fmt::print("{}: group {}, replica {} ({}), leader {}, term {}, commit {}, applied {}, zones {}\n",
             group.Label(), status.at("group").value("id", uint64_t{0}), status.value("replica", uint64_t{0}),
             status.value("role", ""), status.value("leader", uint64_t{0}), status.value("term", uint64_t{0}),
             status.value("commit", uint64_t{0}), status.value("applied", uint64_t{0}),
             fmt::join(status.value("zones", std::vector<std::string>()), " "));
}

void PrintMembers(const Group& group, const json& status) {
  for (const json& member : status.at("members")) {
    fmt::print("{:<28} {:>3} {:<10} {:<24} match {}\n", group.Label(), member.value("id", uint64_t{0}),
               member.value("role", ""), member.value("address", ""), member.value("match", json()).dump());
  }
}

// How far each member is only its leader knows: asked where the Oracle says where it is.
json FromLeader(const GroupClient& client, const Group& group, json status) {
  if (status.value("role", "") == "leader") return status;
  for (const Replica& replica : group.replicas) {
    if (replica.id == 0 || replica.id != status.value("leader", uint64_t{0})) continue;
    const GroupReply reply =
        client.Call({group.region, group.name, {}, {replica}}, {.path = "/api/v1/group"});
    if (!reply.ok() || reply->status != 200) break;
    json leader = json::parse(reply->body, nullptr, false);
    if (leader.is_object() && leader.contains("members")) return leader;
  }
  return status;
}

ExitCode Show(const Target& target, bool members) {
  const auto groups = target.GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  const GroupClient client(target.Policy());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const Group& group : *groups) {
    const GroupReply reply = client.Call(group, {.path = "/api/v1/group"});
    if (!reply.ok() || reply->status != 200) {
      exit = Worse(exit, Fail(reply.ok() ? ErrorOf(*reply) : reply.error()));
      continue;
    }
    json status = json::parse(reply->body, nullptr, false);
    if (!status.is_object() || !status.contains("group") || !status.contains("members")) {
      return Fail({ExitCode::kFailed, group.Label() + " gave no group status; is it a replica?"});
    }
    status = FromLeader(client, group, std::move(status));
    if (!target.json()) (members ? PrintMembers : PrintStatus)(group, status);
    results.push_back(members ? json({{"group", status["group"]}, {"members", status["members"]}}) : status);
  }
  if (target.json()) fmt::print("{}\n", json({{"groups", std::move(results)}}).dump(2));
  return exit;
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
  CLI::App* group = app.add_subcommand("group", "Status of nameserver groups");
  group->require_subcommand(1);
  group->footer(kExitCodeHelp);
  Add(*group, exit, "status", "Leader, term and progress of each group", false);
  Add(*group, exit, "members", "Members of each group and how far they are", true);
}

}  // namespace quorate::cli

// `quorate member`: who takes part in a group, and changing that.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/leader.h"
#include "cli/member_change.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using Kind = MemberChange::Kind;

constexpr double kChangeTimeoutS = 60;  // a member that does not answer is waited for as long as its lease

constexpr const char* kLeader =
    "The leader is found among what --oracle or --server (several, with commas between) name.";

// The value for a cell; "-" where nobody that was asked knows it.
std::string Cell(const json& member, const char* name) {
  const auto found = member.find(name);
  if (found == member.end() || found->is_null()) return "-";
  return found->is_string() ? found->get<std::string>() : found->dump();
}

std::string Notes(const json& member) {
  std::string notes;
  const auto add = [&](const std::string& note) { notes += (notes.empty() ? "" : ", ") + note; };
  if (const auto replaces = member.value("replaces", uint64_t{0}))
    add(fmt::format("replaces member {} once caught up", replaces));
  else if (member.value("promote", false))
    add("gets a vote once caught up");
  if (member.value("leaving", false)) add("is leaving");
  if (member.value("repairing", false)) add("is being repaired: its vote does not count");
  if (!member.value("recent", true)) add("does not answer");
  if (member.value("disk_low", false)) add("its disk is nearly full");
  return notes;
}

void PrintList(const Group& group, const json& status) {
  fmt::print("{}: feature level {}{}\n", group.Label(), status.value("feature_level", uint64_t{1}),
             status.value("change_under_way", false) ? ", a change is under way" : "");
  fmt::print("  {:>3} {:<9} {:<24} {:<13} {:>10} {:>6} {:>5} {}\n", "id", "role", "address", "lease", "match",
             "behind", "level", "");
  for (const json& member : status.at("members")) {
    fmt::print("  {:>3} {:<9} {:<24} {:<13} {:>10} {:>6} {:>5} {}\n", Cell(member, "id"),
               Cell(member, "role"), Cell(member, "address"), Cell(member, "lease"), Cell(member, "match"),
               Cell(member, "lag"), Cell(member, "feature_level"), Notes(member));
  }
  if (status.value("role", "") != "leader")
    fmt::print("  This is what replica {} knows; the leader could not be asked\n", Cell(status, "replica"));
}

// The leader's word; else that of anybody who answers.
CliResult<json> MembersOf(const Target& target, const Group& group) {
  static constexpr const char* kPath = "/api/v1/members";
  CallPolicy policy = target.Policy();
  policy.overall = std::min<Duration>(policy.overall, std::chrono::milliseconds(100));
  policy.attempt = std::chrono::seconds(2);
  policy.attempt_may_outlast = true;
  if (auto leader = AskLeader(GroupClient(policy), group, kPath); leader.ok()) return std::move(leader->body);
  const GroupReply reply = GroupClient(target.Policy()).Call(group, {.path = kPath});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  json body = json::parse(reply->body, nullptr, false);
  if (body.is_object() && body.contains("members")) return body;
  return CliError{ExitCode::kFailed, group.Label() + " gave no list of members; is it a replica?"};
}

ExitCode List(const Target& target) {
  const auto groups = target.GroupsAsConfigured();
  if (!groups.ok()) return Fail(groups.error());
  json results = json::array();
  ExitCode exit = ExitCode::kOk;
  for (const Group& group : *groups) {
    auto status = MembersOf(target, group);
    if (!status.ok()) {
      exit = Worse(exit, Fail(status.error()));
      continue;
    }
    if (!target.json()) PrintList(group, *status);
    results.push_back(*std::move(status));
  }
  if (target.json()) fmt::print("{}\n", json({{"groups", std::move(results)}}).dump(2));
  return exit;
}

struct Command {
  CLI::App* app;
  std::shared_ptr<MemberChange> change;
  std::shared_ptr<Target> target;
};

Command AddChange(CLI::App& member, ExitCode& exit, Kind kind, const char* name, const char* help,
                  const char* examples) {
  const Command command{member.add_subcommand(name, help), std::make_shared<MemberChange>(), nullptr};
  command.change->kind = kind;
  if (kind != Kind::kAdd)
    command.app->add_option("id", command.change->id, "Number of the member")
        ->required()
        ->check(CLI::Range(uint64_t{1}, uint64_t{1} << 62));
  if (kind == Kind::kAdd || kind == Kind::kReplace)
    command.app->add_option("address", command.change->address, "host:port of the new one's peer port")
        ->required();
  const auto target = AddTargetFlags(*command.app);
  command.app->footer(fmt::format("Examples:\n{}\n{}", examples, kLeader));
  command.app->callback([change = command.change, target, &exit] {
    if (!target->timeout_given) target->timeout_s = kChangeTimeoutS;
    exit = ChangeMember(*target, *change);
  });
  return {command.app, command.change, target};
}

void AddForce(const Command& command) {
  command.app->add_flag("--force", command.change->force,
                        "Also if too few of the voters that are left answer. Then the group decides nothing, "
                        "not even a way back, until enough of them do");
}

void AddWait(const Command& command, bool wait, const char* what) {
  command.change->wait = wait;
  command.app->add_flag("--wait,!--no-wait", command.change->wait, what);
}

void AddList(CLI::App& member, ExitCode& exit) {
  CLI::App* command = member.add_subcommand("list", "Members, and how far each of them is");
  const auto target = AddTargetFlags(*command);
  command->footer(
      "Examples:\n  quorate member list --server http://127.0.0.1:8101,http://127.0.0.2:8101\n"
      "  quorate member list --oracle http://127.0.0.1:8050 -o json");
  command->callback([=, &exit] { exit = List(*target); });
}

}  // namespace

void RegisterMember(CLI::App& app, ExitCode& exit) {
  CLI::App* member = app.add_subcommand("member", "Who takes part in a group: list, add, remove, replace");
  member->require_subcommand(1);
  member->footer(kExitCodeHelp);
  AddList(*member, exit);
  const Command add = AddChange(*member, exit, Kind::kAdd, "add", "Add a member; prints how to start it",
                                "  quorate member add 127.0.0.4:7101 --server http://127.0.0.1:8101\n"
                                "  quorate member add 127.0.0.5:7101 --learner --server "
                                "http://127.0.0.1:8101 -o json\n"
                                "`quorate serve --join URL` does the same for the process that it starts.");
  add.app->add_flag("--learner", add.change->learner, "Without a vote, for good");
  AddWait(add, false, "Wait until it has caught up and got its vote; default: --no-wait");
  AddForce(AddChange(*member, exit, Kind::kRemove, "remove", "Remove a member; its process ends by itself",
                     "  quorate member remove 3 --server http://127.0.0.1:8101,http://127.0.0.2:8101"));
  const Command promote =
      AddChange(*member, exit, Kind::kPromote, "promote", "Give a learner a vote once it has caught up",
                "  quorate member promote 4 --server http://127.0.0.1:8101");
  AddWait(promote, true, "Wait until it is a voter; default: --wait");
  AddForce(AddChange(*member, exit, Kind::kDemote, "demote", "Make a voter a learner",
                     "  quorate member demote 4 --server http://127.0.0.1:8101"));
  const Command replace =
      AddChange(*member, exit, Kind::kReplace, "replace",
                "Add a member that takes the place of another in one step; prints how to start it",
                "  quorate member replace 2 127.0.0.4:7101 --server http://127.0.0.1:8101");
  AddWait(replace, false, "Wait until it has taken over; default: --no-wait");
}

}  // namespace quorate::cli

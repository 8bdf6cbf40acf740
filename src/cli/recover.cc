#include "app/recover.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>

#include "base/disk_fault.h"
#include "base/status_macros.h"
#include "cli/commands.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

struct RecoverOptions {
  std::string data_dir, output;
  std::vector<std::string> members;
  uint64_t group = 0;
  bool yes = false;
};

std::string MembersText(const app::Survivor& survivor) {
  std::string out;
  for (const raft::Member& member : survivor.members.members) {
    out += fmt::format("    {} {}{}{}\n", member.id.value, member.address, member.voter ? "" : " (learner)",
                       member.id == survivor.member ? "  <- this one" : "");
  }
  return out;
}

// To stderr, so that -o json stays JSON.
void Warn(const RecoverOptions& options, const app::Survivor& survivor) {
  fmt::print(
      stderr,
      "{} is member {} of group {}.\n"
      "  Its log ends at entry {} of term {}; up to entry {} it is known to be committed.\n"
      "  The members, as far as this log knows:\n{}\n"
      "Recovering makes a NEW group of this replica alone, with what is in this log.\n"
      "  LOST may be: every write that was acknowledged and is not in this log. Recover from the survivor "
      "whose\n"
      "  log ends latest (term first, then entry), and only if most of the voters are gone for good.\n"
      "  The other members of group {} must NEVER be started again to answer anybody: they would go on "
      "with the old\n"
      "  data. The new group refuses them for ever.\n"
      "  Clients that retry a write from before may see it applied: what is in the log is kept, "
      "acknowledged or not.\n",
      options.data_dir, survivor.member.value, survivor.group.value, survivor.last.value,
      survivor.last_term.value, survivor.applied.value, MembersText(survivor), survivor.group.value);
}

// The number of the group, typed or given: whoever knows it has looked.
absl::Status Confirm(const RecoverOptions& options, const app::Survivor& survivor) {
  std::string typed;
  if (options.yes) {
    typed = options.group == 0 ? "" : std::to_string(options.group);
  } else {
    fmt::print(stderr, "Type the number of the group to go on: ");
    std::getline(std::cin, typed);
  }
  if (typed == std::to_string(survivor.group.value)) return absl::OkStatus();
  return absl::InvalidArgumentError(fmt::format(
      "nothing was changed: that is not the number of the group{}",
      options.yes ? fmt::format("; --yes needs --group {}", survivor.group.value) : std::string()));
}

std::string HowToStart(const app::Survivor& survivor, GroupId group,
                       const std::vector<raft::Member>& joining) {
  std::string members;
  for (const raft::Member& member : survivor.members.members)
    if (member.id == survivor.member) members = fmt::format("{}={}", member.id.value, member.address);
  for (const raft::Member& member : joining)
    members += fmt::format(",{}={}/learner", member.id.value, member.address);
  return fmt::format("--group-id {} --replica-id {} --members {}", group.value, survivor.member.value,
                     members);
}

void Tell(const RecoverOptions& options, const app::Survivor& survivor, GroupId group,
          const std::vector<raft::Member>& joining) {
  const std::string start = HowToStart(survivor, group, joining);
  if (options.output == "json") {
    json out = {{"old_group", survivor.group.value},
                {"group", group.value},
                {"member", survivor.member.value},
                {"last_index", survivor.last.value},
                {"last_term", survivor.last_term.value},
                {"applied", survivor.applied.value},
                {"serve", start}};
    fmt::print("{}\n", out.dump());
    return;
  }
  fmt::print("group {} is group {} from now on. Start this replica with\n  quorate serve --data {} {} ...\n",
             survivor.group.value, group.value, options.data_dir, start);
  if (!joining.empty())
    fmt::print("and each of the others on an EMPTY data directory with the same --group-id and --members.\n");
}

absl::Status Recover(const RecoverOptions& options) {
  ASSIGN_OR_RETURN(const auto joining, app::ParseJoining(options.members));
  ASSIGN_OR_RETURN(const auto recovery, app::Recovery::Open(options.data_dir));
  Warn(options, recovery->survivor());
  RETURN_IF_ERROR(Confirm(options, recovery->survivor()));
  ASSIGN_OR_RETURN(const GroupId group, recovery->Found(joining));
  Tell(options, recovery->survivor(), group, joining);
  return absl::OkStatus();
}

}  // namespace

void RegisterRecover(CLI::App& app, ExitCode& exit) {
  CLI::App* command = app.add_subcommand(
      "recover",
      "After most voters of a group are gone for good: make a new group of one survivor (offline)");
  auto options = std::make_shared<RecoverOptions>();
  command->add_option("--data", options->data_dir, "Data directory of the survivor; nobody uses it")
      ->required();
  command
      ->add_option("--member", options->members,
                   "ID=ip:port of a member that joins as new, on an empty data directory; repeatable")
      ->take_all();
  command->add_option("--group", options->group, "With --yes: the number of the group, as a confirmation");
  command->add_flag("--yes", options->yes, "Do not ask");
  command->add_option("-o,--format", options->output, "text or json")->check(CLI::IsMember({"text", "json"}));
  command->footer(
      "Example:\n  quorate recover --data d2 --yes --group 1\n"
      "Read docs/operations/lost-quorum.md first: what only the lost members had is lost.");
  command->callback([options, &exit] {
    const absl::Status status = Recover(*options);
    if (status.ok()) return;
    fmt::print(stderr, "quorate recover: {}\n", MessageOf(status));
    exit = status.code() == absl::StatusCode::kInvalidArgument ? ExitCode::kUsage : ExitCode::kFailed;
    if (const auto fault = DiskFaultOf(status)) exit = static_cast<ExitCode>(ExitCodeOf(*fault));
  });
}

}  // namespace quorate::cli

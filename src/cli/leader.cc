#include "cli/leader.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration kAttempt = std::chrono::seconds(3);  // then the leader is looked for anew
constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr Duration kPause = std::chrono::milliseconds(50);

CliResult<json> AskOne(const GroupClient& client, const Group& group, const Replica& replica,
                       const std::string& path) {
  const GroupReply reply = client.Call({group.region, group.name, {}, {replica}}, {.path = path});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  json body = json::parse(reply->body, nullptr, false);
  if (body.is_object() && body.contains("leader") && body.contains("role")) return body;
  return CliError{ExitCode::kFailed, group.Label() + " gave no group status; is it a replica?"};
}

// An earlier attempt was sent and not answered, whatever the later ones say.
CliError Lost(const Group& group) {
  return {ExitCode::kUnknown,
          group.Label() +
              ": sent, and not answered: it may yet come about. `quorate member list` and `quorate "
              "group status` show what is so"};
}

}  // namespace

CliResult<LeaderReply> AskLeader(const GroupClient& client, const Group& group, const std::string& path) {
  CliError error{ExitCode::kUnavailable, group.Label() + " has no HTTP door"};
  uint64_t leader = 0;
  for (const Replica& replica : group.replicas) {
    if (replica.http.empty() || (leader != 0 && replica.id != 0 && replica.id != leader)) continue;
    auto body = AskOne(client, group, replica, path);
    if (!body.ok()) {
      if (leader == 0) error = body.error();
      continue;
    }
    if (body->value("role", "") == "leader") return LeaderReply{replica, *std::move(body)};
    leader = body->value("leader", uint64_t{0});
    error = {ExitCode::kUnavailable, group.Label() + " has no leader just now; nothing was changed"};
  }
  if (leader == 0) return error;
  for (const Replica& replica : group.replicas) {  // once more: those asked before it was known
    if (replica.id != leader || replica.http.empty()) continue;
    auto body = AskOne(client, group, replica, path);
    if (body.ok() && body->value("role", "") == "leader") return LeaderReply{replica, *std::move(body)};
    return CliError{ExitCode::kUnavailable,
                    fmt::format("{}: member {} leads, and does not say so just now", group.Label(), leader)};
  }
  return CliError{ExitCode::kFailed,
                  fmt::format("{}: member {} leads, and where its HTTP door is nobody says: name it with "
                              "--server, or the deployment with --oracle",
                              group.Label(), leader)};
}

GroupReply CallLeader(const Target& target, const Group& group, const GroupRequest& request) {
  CallPolicy look = target.Policy(), send = target.Policy();
  const SteadyClock::time_point deadline = SteadyClock::now() + send.overall;
  look.overall = kLook;
  send.overall = std::min(send.overall, kAttempt);
  look.attempt_may_outlast = send.attempt_may_outlast = true;
  look.attempt = kAttempt;
  for (bool lost = false;;) {
    const bool last = SteadyClock::now() + kPause >= deadline;
    const auto leader = AskLeader(GroupClient(look), group, "/api/v1/group");
    if (leader.ok()) {
      GroupReply reply = GroupClient(send).Call({group.region, group.name, {}, {leader->replica}}, request);
      if (reply.ok() && reply->status != 421) return reply;
      lost |= !reply.ok() && reply.error().code == ExitCode::kUnknown;
      if (last) return lost ? Lost(group) : reply;
    } else if (last || leader.error().code != ExitCode::kUnavailable) {
      return lost ? Lost(group) : leader.error();
    }
    std::this_thread::sleep_for(kPause);
  }
}

}  // namespace quorate::cli

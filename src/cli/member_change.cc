#include "cli/member_change.h"

#include <fmt/format.h>

#include <chrono>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/leader.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using Kind = MemberChange::Kind;
using SteadyClock = std::chrono::steady_clock;

constexpr Duration kPoll = std::chrono::milliseconds(200);
constexpr Duration kLook = std::chrono::milliseconds(100);
constexpr Duration kAsk = std::chrono::seconds(2);

bool Adds(const MemberChange& change) { return change.kind == Kind::kAdd || change.kind == Kind::kReplace; }

std::string TextOf(const json& object, const char* name) {
  return object.is_object() && object.contains(name) && object[name].is_string()
             ? object[name].get<std::string>()
             : std::string();
}

std::string Done(const MemberChange& change, uint64_t id, bool already) {
  const char* so = already ? " already" : "";
  switch (change.kind) {
    case Kind::kAdd:
      return fmt::format(
          "member {} is at {}{}: {}", id, change.address, so,
          change.learner ? "a learner, without a vote" : "it gets a vote once it has caught up");
    case Kind::kReplace:
      return fmt::format("member {} is at {}{}: once it has caught up it gets a vote, and member {} goes", id,
                         change.address, so, change.id);
    case Kind::kRemove:
      return fmt::format("member {} was removed{}", id, so);
    case Kind::kPromote:
      return already ? fmt::format("member {} is a voter already", id)
                     : fmt::format("member {} gets a vote once it has caught up", id);
    case Kind::kDemote:
      return fmt::format("member {} is a learner{}, without a vote", id, so);
  }
  return "";
}

json Result(const MemberChange& change, uint64_t id, bool already, const json& place) {
  json out = {{"id", id}, {"already", already}, {"text", Done(change, id, already)}};
  if (Adds(change)) out["place"] = place;
  return out;
}

CliError Refused(const HttpReply& reply, const json& body) {
  CliError error = ErrorOf(reply);
  if (TextOf(body, "code") == "would_lose_quorum") {
    error.message = TextOf(body, "error") +
                    "; nothing was changed. --force tries it all the same: then the group decides nothing, "
                    "not even a way back, before enough of the others answer again";
  }
  return error;
}

const json* RowOf(const json& members, uint64_t id) {
  if (!members.contains("members") || !members["members"].is_array()) return nullptr;
  for (const json& row : members["members"])
    if (row.is_object() && row.value("id", uint64_t{0}) == id) return &row;
  return nullptr;
}

// The member that is there is the one that `change` would have added.
bool IsAsAsked(const MemberChange& change, const json& place) {
  const json* row = RowOf(place, place.value("id", uint64_t{0}));
  if (row == nullptr || TextOf(place, "address") != change.address) return false;
  if (change.kind == Kind::kReplace) return row->value("replaces", uint64_t{0}) == change.id;
  const bool gets_a_vote = row->value("voter", false) || row->value("promote", false);
  return gets_a_vote != change.learner;
}

// Learners that caught up become voters without being asked again.
ExitCode Wait(const Target& target, const Group& group, const MemberChange& change, uint64_t id) {
  CallPolicy policy = target.Policy();
  const SteadyClock::time_point deadline = SteadyClock::now() + policy.overall;
  policy.overall = kLook;
  policy.attempt_may_outlast = true;
  policy.attempt = kAsk;
  for (std::string said;;) {
    const auto leader = AskLeader(GroupClient(policy), group, "/api/v1/members");
    const std::string missing = leader.ok() ? StillMissing(change, id, leader->body) : leader.error().message;
    if (missing.empty()) return ExitCode::kOk;
    if (missing != said && !target.json()) fmt::print(stderr, "quorate: {}\n", missing);
    said = missing;
    if (leader.ok() && RowOf(leader->body, id) == nullptr) return Fail({ExitCode::kNotFound, missing});
    if (SteadyClock::now() >= deadline) {
      return Fail({ExitCode::kUnknown,
                   missing + "; this was waited for in vain, and goes on: `quorate member list` shows it"});
    }
    std::this_thread::sleep_for(kPoll);
  }
}

CliResult<Group> OneGroup(const Target& target) {
  auto groups = target.GroupsAsConfigured();
  if (!groups.ok()) return groups.error();
  if (groups->size() == 1) return groups->front();
  return CliError{ExitCode::kUsage,
                  fmt::format("members of one group are changed at a time, and these are {}: name one with "
                              "--region and --group",
                              groups->size())};
}

std::string DoorsOf(const Group& group) {
  std::string urls;
  for (const Replica& replica : group.replicas)
    if (!replica.http.empty()) urls += (urls.empty() ? "" : ",") + replica.http;
  return urls;
}

}  // namespace

GroupRequest RequestOf(const MemberChange& change) {
  const std::string path = fmt::format("/api/v1/members/{}", change.id);
  const std::string force = change.force ? "?force" : "";
  switch (change.kind) {
    case Kind::kAdd:
    case Kind::kReplace:
      break;
    case Kind::kRemove:
      return {.method = "DELETE", .path = path + force};
    case Kind::kPromote:
      return {.method = "POST", .path = path + "/promote"};
    case Kind::kDemote:
      return {.method = "POST", .path = path + "/demote" + force};
  }
  json body = {{"address", change.address}};
  if (change.learner) body["learner"] = true;
  if (change.kind == Kind::kReplace) body["replaces"] = change.id;
  return {.method = "POST",
          .path = "/api/v1/members",
          .body = body.dump(-1, ' ', false, json::error_handler_t::replace)};
}

CliResult<json> ResultOf(const MemberChange& change, const HttpReply& reply) {
  const json body = json::parse(reply.body, nullptr, false);
  const std::string code = TextOf(body, "code");
  if (!Adds(change)) {
    const bool already = (change.kind == Kind::kRemove && code == "removed") ||
                         (change.kind != Kind::kRemove && code == "already");
    if (reply.status == 200 || already) return Result(change, change.id, already, {});
    return Refused(reply, body);
  }
  if (reply.status == 201) return Result(change, body.value("id", uint64_t{0}), false, body);
  if (code != "already" || !body.contains("place")) return Refused(reply, body);
  const json& place = body["place"];
  if (!IsAsAsked(change, place)) return Refused(reply, body);
  return Result(change, place.value("id", uint64_t{0}), true, place);
}

std::string ServeCommand(const std::string& urls, const std::string& address) {
  return fmt::format(
      "quorate serve --join {} --listen-peer {} --data DIR --listen-dns IP:PORT --listen-http IP:PORT", urls,
      address);
}

std::string StillMissing(const MemberChange& change, uint64_t id, const json& members) {
  const json* row = RowOf(members, id);
  if (row == nullptr) return fmt::format("member {} is not listed: it was removed meanwhile", id);
  const bool learner = change.kind == Kind::kAdd && change.learner;
  const bool voter = row->value("voter", false) && !members.value("change_under_way", false);
  if (learner ? row->value("caught_up", false) : voter) return "";
  if (!row->value("recent", false)) return fmt::format("member {} does not answer yet: is it started?", id);
  if (!row->value("caught_up", false))
    return fmt::format("member {} is {} entries behind", id, row->value("lag", uint64_t{0}));
  return fmt::format("member {} has caught up, and gets its vote", id);
}

ExitCode ChangeMember(const Target& target, const MemberChange& change) {
  const auto group = OneGroup(target);
  if (!group.ok()) return Fail(group.error());
  if (change.force) {
    fmt::print(stderr,
               "quorate: --force: should too few of the members that are left answer, the group decides "
               "nothing, not even a way back, until they do\n");
  }
  const GroupReply reply = CallLeader(target, *group, RequestOf(change));
  if (!reply.ok()) return Fail(reply.error());
  auto result = ResultOf(change, *reply);
  if (!result.ok()) return Fail(result.error());
  const auto id = result->value("id", uint64_t{0});
  if (Adds(change)) (*result)["serve"] = ServeCommand(DoorsOf(*group), change.address);
  if (!target.json()) {
    fmt::print("{}: {}\n", group->Label(), TextOf(*result, "text"));
    if (Adds(change)) fmt::print("Start it with:\n  {}\n", TextOf(*result, "serve"));
    std::fflush(stdout);
  }
  const ExitCode exit = change.wait ? Wait(target, *group, change, id) : ExitCode::kOk;
  if (!target.json() && change.wait && exit == ExitCode::kOk)
    fmt::print("{}: member {} {}\n", group->Label(), id, change.learner ? "has caught up" : "is a voter");
  (*result)["waited"] = change.wait && exit == ExitCode::kOk;
  if (target.json()) fmt::print("{}\n", result->dump(2));
  return exit;
}

}  // namespace quorate::cli

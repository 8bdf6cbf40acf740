#include "cli/target.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <nlohmann/json.hpp>

#include "base/consistency.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

CliResult<std::vector<Group>> AskOracle(const Target& target) {
  Group oracle{.replicas = {{.http = NormalUrl(target.oracle)}}};
  CallPolicy policy = target.Policy();
  policy.token.clear();  // the groups' tokens are not the Oracle's business
  const GroupReply reply = GroupClient(policy).Call(oracle, {.path = "/status"});
  if (!reply.ok()) return CliError{reply.error().code, "the Oracle at " + reply.error().message};
  if (reply->status != 200) return ErrorOf(*reply);
  return ParseDeployment(reply->body);
}

bool IsHttpUrl(const std::string& url) { return url.starts_with("http://") || url.starts_with("https://"); }

// At the commas.
std::vector<std::string> Split(const std::string& list) {
  std::vector<std::string> out;
  for (size_t at = 0; !list.empty() && at <= list.size();) {
    const size_t end = std::min(list.find(',', at), list.size());
    out.push_back(list.substr(at, end - at));
    at = end + 1;
  }
  return out;
}

// Configured zones stay when nobody answers: the write then says what is wrong with the group.
CliResult<bool> LoadZones(const GroupClient& client, Group& group) {
  const GroupReply reply = client.Call(group, {.path = "/api/v1/servers/localhost/zones?consistency=local"});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  const json zones = json::parse(reply->body, nullptr, false);
  if (!zones.is_array())
    return CliError{ExitCode::kFailed, group.Label() + " gave no list of zones; is it a replica?"};
  group.zones.clear();
  for (const json& zone : zones) {
    if (!zone.is_object() || !zone.contains("name") || !zone["name"].is_string()) continue;
    if (const auto name = dns::Name::FromText(zone["name"].get<std::string>()); name.ok())
      group.zones.push_back(*name);
  }
  return true;
}

}  // namespace

CallPolicy Target::Policy() const {
  CallPolicy policy{.token = token, .ca_file = ca_file};
  policy.overall = std::chrono::milliseconds(static_cast<int64_t>(timeout_s * 1000));
  return policy;
}

CliResult<std::vector<Group>> Target::GroupsAsConfigured() const {
  std::vector<std::string> urls = Split(server);
  if (!oracle.empty()) urls.push_back(oracle);
  for (const std::string& url : urls) {
    if (IsHttpUrl(NormalUrl(url))) continue;
    return CliError{ExitCode::kUsage, fmt::format("`{}` is no http:// or https:// URL", url)};
  }
  if (!server.empty()) {
    Group group;
    for (const std::string& url : urls) group.replicas.push_back({.http = NormalUrl(url)});
    return std::vector<Group>{std::move(group)};
  }
  if (oracle.empty()) {
    return CliError{
        ExitCode::kUsage,
        "name a deployment with --oracle URL (or QUORATE_ORACLE), or a replica with --server URL (or "
        "QUORATE_SERVER)"};
  }
  auto groups = AskOracle(*this);
  if (!groups.ok()) return groups.error();
  std::erase_if(*groups, [&](const Group& g) {
    return (!region.empty() && g.region != region) || (!group.empty() && g.name != group);
  });
  if (groups->empty()) {
    return CliError{ExitCode::kNotFound, "the Oracle knows no such group; `quorate group status` lists them"};
  }
  return groups;
}

CliResult<std::vector<Group>> Target::Groups() const {
  auto groups = GroupsAsConfigured();
  if (!groups.ok()) return groups.error();
  CallPolicy policy = Policy();
  if (server.empty()) {  // a group that is down must not keep the others from being found
    policy.attempt = std::chrono::seconds(1);
    policy.overall = std::chrono::seconds(2);
  }
  for (Group& each : *groups) {
    const auto loaded = LoadZones(GroupClient(policy), each);
    if (!loaded.ok() && !server.empty()) return loaded.error();
  }
  return groups;
}

std::shared_ptr<Target> AddTargetFlags(CLI::App& command, const std::vector<std::string>& formats) {
  auto target = std::make_shared<Target>();
  target->format = formats.front();
  CLI::Option* oracle = command.add_option("--oracle", target->oracle, "URL of the deployment's Oracle");
  CLI::Option* server = command.add_option(
      "--server", target->server, "URL of one replica, or of several with commas between: their group alone");
  oracle->excludes(server);
  command.add_option("--region", target->region, "Only this region (with --oracle)");
  command.add_option("--group", target->group, "Only groups of this name (with --oracle)");
  command.add_option("--token", target->token, "API token")->envname("QUORATE_TOKEN");
  command.add_option("--ca", target->ca_file, "PEM file of the CA that signed the servers' certificates")
      ->envname("QUORATE_CA");
  CLI::Option* timeout =
      command.add_option("--timeout", target->timeout_s, "Seconds until it gives up, retries included")
          ->check(CLI::Range(0.1, 3600.0))
          ->capture_default_str();
  command.add_option("-o,--format", target->format, "How to print")
      ->check(CLI::IsMember(formats))
      ->capture_default_str();
  // Flags win over the environment, and what names one replica over what names all.
  command.parse_complete_callback([target, timeout] {
    target->timeout_given = timeout->count() > 0;
    const auto from = [](const char* name) {
      const char* value = std::getenv(name);
      return std::string(value ? value : "");
    };
    if (!target->oracle.empty() || !target->server.empty()) return;
    target->server = from("QUORATE_SERVER");
    if (target->server.empty()) target->oracle = from("QUORATE_ORACLE");
  });
  return target;
}

void AddConsistencyFlag(CLI::App& command, std::string& consistency) {
  command
      .add_option("--consistency", consistency,
                  "linearizable (default), bounded=<seconds>s: at most so old where no quorum answers, or "
                  "local: whatever the replica has")
      ->check([](const std::string& text) {
        return ParseConsistency(text) ? std::string()
                                      : "`" + text + "` is not linearizable, bounded=5s or local";
      });
}

std::string ConsistencyQuery(const std::string& consistency) {
  return "?consistency=" + (consistency.empty() ? ToText(Consistency()) : PercentEncode(consistency));
}

CliResult<dns::Name> NameArgument(const std::string& text) {
  const bool is_raw = std::any_of(text.begin(), text.end(), [](char c) { return c <= ' ' || c > '~'; });
  if (is_raw) {
    return CliError{
        ExitCode::kUsage,
        fmt::format("the name `{}` has a blank or a byte that is not ASCII: write it as \\DDD or in "
                    "punycode",
                    text)};
  }
  const auto name = dns::Name::FromText(text);
  if (!name.ok())
    return CliError{ExitCode::kUsage, fmt::format("`{}` is not a domain name: {}", text, name.error())};
  return *name;
}

ExitCode Fail(const CliError& error) {
  fmt::print(stderr, "quorate: {}\n", error.message);
  return error.code;
}

}  // namespace quorate::cli

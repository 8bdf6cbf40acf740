// `quorate kv`: the store of a group, through its etcd door.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>
#include <thread>

#include "cli/commands.h"
#include "cli/etcd/kv_client.h"
#include "cli/group_client.h"
#include "cli/report.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;
using SteadyClock = std::chrono::steady_clock;

struct KvArguments {
  std::shared_ptr<Target> target;
  std::string etcd, consistency;
  KvKey key;
  std::string value;
  int64_t revision = 0;
  uint64_t events_max = 0;
};

// One call at one replica; the key is empty for reads.
using Call = std::function<KvReply(KvClient&, const std::string& idempotency_key, Duration timeout)>;

std::string Trimmed(const std::string& address) {
  const size_t scheme = address.find("://");
  return scheme == std::string::npos ? address : address.substr(scheme + 3);
}

// A replica that was named by its HTTP URL says where its etcd door is.
CliResult<std::string> DoorOf(const Target& target, const Group& group) {
  const GroupReply reply = GroupClient(target.Policy()).Call(group, {.path = "/api/v1/group"});
  if (!reply.ok()) return reply.error();
  if (reply->status != 200) return ErrorOf(*reply);
  const json status = json::parse(reply->body, nullptr, false);
  const std::string door = status.is_object() ? status.value("etcd", "") : "";
  if (door.empty())
    return CliError{ExitCode::kFailed, group.Label() + " has no etcd door (serve --listen-etcd)"};
  return door;
}

// A store belongs to one group: the flags must name one.
CliResult<Group> GroupOf(const KvArguments& arguments) {
  if (!arguments.etcd.empty())
    return Group{.name = arguments.etcd, .replicas = {{.etcd = Trimmed(arguments.etcd)}}};
  auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return groups.error();
  if (groups->size() > 1) {
    std::string names;
    for (const Group& group : *groups) names += " " + group.Label();
    return CliError{
        ExitCode::kUsage,
        fmt::format("each group has a store of its own: choose one with --group and --region, of{}", names)};
  }
  Group group = std::move(groups->front());
  if (!arguments.target->server.empty()) {
    const auto door = DoorOf(*arguments.target, group);
    if (!door.ok()) return door.error();
    group.replicas.front().etcd = *door;
  }
  std::erase_if(group.replicas, [](const Replica& replica) { return replica.etcd.empty(); });
  if (group.replicas.empty())
    return CliError{ExitCode::kUnavailable, group.Label() + " has no etcd door yet"};
  return group;
}

// One call through all its attempts; a write carries one dated key through them.
class Attempts {
 public:
  Attempts(const CallPolicy& policy, const Call& call, bool writes)
      : policy_(policy), call_(call), writes_(writes) {}

  // The reply, if it is one for good.
  std::optional<CliResult<KvReply>> At(const std::string& etcd, Duration left) {
    const Duration timeout = std::min<Duration>(left, policy_.attempt);
    KvClient client(etcd, policy_.ca_file);
    if (writes_ && key_.empty() && !MakeKey(client, etcd, timeout)) return std::nullopt;
    KvReply reply = call_(client, key_, timeout);
    if (!reply.error) return CliResult<KvReply>(std::move(reply));
    why_ = etcd + ": " + reply.error->message;
    switch (reply.error->kind) {
      case KvError::Kind::kRefused:
        return CliResult<KvReply>(CliError{ExitCode::kFailed, reply.error->message});
      case KvError::Kind::kUnknownForGood:
        if (may_be_applied_ || redated_)
          return CliResult<KvReply>(CliError{ExitCode::kUnknown, reply.error->message});
        // Nothing was sent before, so this key was too old from the start: the group was idle for long.
        redated_ = true;
        key_.clear();
        return std::nullopt;
      case KvError::Kind::kUnknown:
        may_be_applied_ |= writes_;
        return std::nullopt;
      case KvError::Kind::kUnavailable:
        return std::nullopt;
    }
    return std::nullopt;
  }

  bool may_be_applied() const { return may_be_applied_; }
  const std::string& why() const { return why_; }

 private:
  bool MakeKey(KvClient& client, const std::string& etcd, Duration timeout) {
    KvError error;
    const std::optional<uint64_t> ms = client.GroupTimeMs(timeout, error);
    if (!ms) why_ = etcd + ": " + error.message;
    if (ms) key_ = *ms == 0 ? NewIdempotencyKey() : DatedIdempotencyKey(*ms);
    return ms.has_value();
  }

  const CallPolicy& policy_;
  const Call& call_;
  const bool writes_;
  std::string key_, why_;
  bool may_be_applied_ = false, redated_ = false;
};

// Replica after replica until one answers for good.
CliResult<KvReply> CallGroup(const KvArguments& arguments, const Group& group, const Call& call,
                             bool writes) {
  const CallPolicy policy = arguments.target->Policy();
  const auto deadline = SteadyClock::now() + policy.overall;
  Attempts attempts(policy, call, writes);
  for (Duration backoff = std::chrono::milliseconds(50);; backoff *= 2) {
    for (const Replica& replica : group.replicas) {
      const Duration left = deadline - SteadyClock::now();
      if (left <= Duration::zero()) continue;
      if (auto reply = attempts.At(replica.etcd, left)) return *std::move(reply);
    }
    if (SteadyClock::now() + backoff >= deadline) break;
    std::this_thread::sleep_for(backoff);
  }
  if (attempts.may_be_applied()) {
    return CliError{ExitCode::kUnknown,
                    fmt::format("{}: the outcome is unknown ({}); look at the key, then decide",
                                group.Label(), attempts.why())};
  }
  return CliError{ExitCode::kUnavailable, fmt::format("{} is unavailable ({}); it is safe to try again",
                                                      group.Label(), attempts.why())};
}

json PairToJson(const KvPair& kv) {
  return {{"key", kv.key},
          {"value", kv.value},
          {"create_revision", kv.create_revision},
          {"mod_revision", kv.mod_revision},
          {"version", kv.version}};
}

void PrintJson(const json& value) {
  fmt::print("{}\n", value.dump(-1, ' ', false, json::error_handler_t::replace));
}

ExitCode FailWrite(const KvArguments& arguments, const CliError& error) {
  if (arguments.target->json()) PrintJson({{"outcome", OutcomeName(error.code)}, {"error", error.message}});
  return Fail(error);
}

ExitCode Put(const KvArguments& arguments) {
  const auto group = GroupOf(arguments);
  if (!group.ok()) return Fail(group.error());
  const auto reply = CallGroup(
      arguments, *group,
      [&](KvClient& client, const std::string& key, Duration timeout) {
        return client.Put(arguments.key.key, arguments.value, key, timeout);
      },
      true);
  if (!reply.ok()) return FailWrite(arguments, reply.error());
  if (arguments.target->json()) {
    PrintJson({{"outcome", "applied"}, {"revision", reply->revision}});
  } else {
    fmt::print("{}: put (revision {})\n", group->Label(), reply->revision);
  }
  return ExitCode::kOk;
}

ExitCode Delete(const KvArguments& arguments) {
  const auto group = GroupOf(arguments);
  if (!group.ok()) return Fail(group.error());
  const auto reply = CallGroup(
      arguments, *group,
      [&](KvClient& client, const std::string& key, Duration timeout) {
        return client.Delete(arguments.key, key, timeout);
      },
      true);
  if (!reply.ok()) return FailWrite(arguments, reply.error());
  if (arguments.target->json()) {
    PrintJson({{"outcome", "applied"}, {"revision", reply->revision}, {"deleted", reply->deleted}});
  } else {
    fmt::print("{}: deleted {} (revision {})\n", group->Label(), reply->deleted, reply->revision);
  }
  return reply->deleted > 0 ? ExitCode::kOk : Fail({ExitCode::kNotFound, "there is no such key"});
}

ExitCode Get(const KvArguments& arguments) {
  const auto group = GroupOf(arguments);
  if (!group.ok()) return Fail(group.error());
  const auto reply = CallGroup(
      arguments, *group,
      [&](KvClient& client, const std::string&, Duration timeout) {
        return client.Get(arguments.key, arguments.revision, arguments.consistency, timeout);
      },
      false);
  if (!reply.ok()) return Fail(reply.error());
  json kvs = json::array();
  for (const KvPair& kv : reply->kvs) {
    if (arguments.target->json()) {
      kvs.push_back(PairToJson(kv));
    } else if (arguments.key.prefix) {
      fmt::print("{}\t{}\n", kv.key, kv.value);
    } else {
      fmt::print("{}\n", kv.value);
    }
  }
  if (arguments.target->json()) PrintJson({{"revision", reply->revision}, {"kvs", std::move(kvs)}});
  return reply->kvs.empty() ? Fail({ExitCode::kNotFound, "there is no such key"}) : ExitCode::kOk;
}

// Goes on at another replica where one stream ended; no change is missed or told twice.
ExitCode Watch(const KvArguments& arguments) {
  const auto group = GroupOf(arguments);
  if (!group.ok()) return Fail(group.error());
  int64_t next = arguments.revision;
  uint64_t seen = 0;
  const auto print = [&](const KvEvent& event) {
    if (arguments.target->json()) {
      json line = PairToJson(event.kv);
      line["type"] = event.deleted ? "delete" : "put";
      PrintJson(line);
    } else {
      fmt::print("{} {} {}{}{}\n", event.kv.mod_revision, event.deleted ? "DELETE" : "PUT", event.kv.key,
                 event.deleted ? "" : "\t", event.kv.value);
    }
    std::fflush(stdout);
    next = event.kv.mod_revision + 1;
    return ++seen != arguments.events_max;
  };
  const CallPolicy policy = arguments.target->Policy();
  auto deadline = SteadyClock::now() + policy.overall;
  for (size_t turn = 0;; ++turn) {
    const Replica& replica = group->replicas[turn % group->replicas.size()];
    const int64_t before = next;
    KvClient client(replica.etcd, policy.ca_file);
    const KvError error = client.Watch(arguments.key, next, next, print);
    if (arguments.events_max != 0 && seen >= arguments.events_max) return ExitCode::kOk;
    if (error.kind == KvError::Kind::kRefused) return Fail({ExitCode::kFailed, error.message});
    if (next != before) deadline = SteadyClock::now() + policy.overall;
    if (SteadyClock::now() >= deadline) {
      return Fail(
          {ExitCode::kUnavailable, fmt::format("{} is unavailable ({})", group->Label(), error.message)});
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(200));
  }
}

struct Command {
  CLI::App* app;
  std::shared_ptr<KvArguments> arguments;
};

Command Add(CLI::App& kv, const char* name, const char* help, const char* examples, ExitCode& exit,
            ExitCode (*run)(const KvArguments&)) {
  Command command{kv.add_subcommand(name, help), std::make_shared<KvArguments>()};
  KvArguments& arguments = *command.arguments;
  arguments.target = AddTargetFlags(*command.app);
  command.app->add_option("--etcd", arguments.etcd,
                          "ip:port of an etcd door, instead of --oracle or --server");
  command.app->add_option("key", arguments.key.key, "The key")->required();
  command.app->footer(std::string("Examples:\n") + examples);
  command.app->callback([all = command.arguments, run, &exit] { exit = run(*all); });
  return command;
}

void AddPrefix(const Command& command) {
  command.app->add_flag("--prefix", command.arguments->key.prefix, "Every key that begins with it");
}

}  // namespace

void RegisterKv(CLI::App& app, ExitCode& exit) {
  CLI::App* kv = app.add_subcommand("kv", "The store of a group: put, get, delete, watch");
  kv->require_subcommand(1);
  kv->footer(kExitCodeHelp);

  const Command put = Add(*kv, "put", "Put a value",
                          "  quorate kv put /app/leader a --server http://127.0.0.1:8101\n"
                          "  quorate kv put /app/leader a --group org --region us-east-1",
                          exit, &Put);
  put.app->add_option("value", put.arguments->value, "The value")->required();

  const Command get = Add(*kv, "get", "Print the value of a key",
                          "  quorate kv get /app/leader --server http://127.0.0.1:8101\n"
                          "  quorate kv get /dns/ --prefix --etcd 127.0.0.1:2379 -o json",
                          exit, &Get);
  AddPrefix(get);
  AddConsistencyFlag(*get.app, get.arguments->consistency);
  get.app->add_option("--revision", get.arguments->revision, "As of this revision")
      ->check(CLI::NonNegativeNumber);

  const Command remove = Add(*kv, "delete", "Delete keys",
                             "  quorate kv delete /app/leader --server http://127.0.0.1:8101\n"
                             "  quorate kv delete /app/ --prefix --etcd 127.0.0.1:2379",
                             exit, &Delete);
  AddPrefix(remove);

  const Command watch = Add(*kv, "watch", "Print every change as it happens",
                            "  quorate kv watch /dns/ --prefix --server http://127.0.0.1:8101\n"
                            "  quorate kv watch /app/leader --revision 17 --events 1 --etcd 127.0.0.1:2379",
                            exit, &Watch);
  AddPrefix(watch);
  watch.app->add_option("--revision", watch.arguments->revision, "From this revision on (default: from now)")
      ->check(CLI::NonNegativeNumber);
  watch.app->add_option("--events", watch.arguments->events_max, "End after that many");
}

}  // namespace quorate::cli

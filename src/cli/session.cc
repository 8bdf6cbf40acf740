// `quorate session`: client sessions of a group, for writers that number their requests.
#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <nlohmann/json.hpp>

#include "cli/commands.h"
#include "cli/group_client.h"
#include "cli/report.h"
#include "cli/target.h"

namespace quorate::cli {
namespace {

using nlohmann::json;

struct SessionArguments {
  std::shared_ptr<Target> target;
  uint64_t lifetime_s = 600, id = 0;
};

// A session is one group's: the flags must name one.
CliResult<HttpReply> CallOneGroup(const SessionArguments& arguments, const GroupRequest& request) {
  const auto groups = arguments.target->GroupsAsConfigured();
  if (!groups.ok()) return groups.error();
  if (groups->size() > 1)
    return CliError{ExitCode::kUsage, "a session is of one group: choose it with --group and --region"};
  GroupReply reply = GroupClient(arguments.target->Policy()).Call(groups->front(), request);
  if (reply.ok() && reply->status / 100 != 2) return ErrorOf(*reply);
  return reply;
}

ExitCode Finish(const SessionArguments& arguments, const CliResult<HttpReply>& reply, const std::string& text,
                json result) {
  result["outcome"] = OutcomeName(reply.ok() ? ExitCode::kOk : reply.error().code);
  if (!reply.ok()) result["error"] = reply.error().message;
  if (arguments.target->json()) {
    fmt::print("{}\n", result.dump());
  } else if (reply.ok()) {
    fmt::print("{}\n", text);
  }
  return reply.ok() ? ExitCode::kOk : Fail(reply.error());
}

ExitCode Open(const SessionArguments& arguments) {
  const auto reply = CallOneGroup(arguments, {.method = "POST",
                                              .path = "/api/v1/sessions",
                                              .body = json({{"lifetime", arguments.lifetime_s}}).dump()});
  if (!reply.ok()) return Finish(arguments, reply, "", json::object());
  const json body = json::parse(reply->body, nullptr, false);
  if (!body.is_object() || !body.contains("id") || !body.contains("lifetime"))
    return Fail({ExitCode::kFailed, "that was no session; is it a replica?"});
  return Finish(arguments, reply, body["id"].dump(), {{"id", body["id"]}, {"lifetime", body["lifetime"]}});
}

ExitCode Close(const SessionArguments& arguments) {
  const auto reply =
      CallOneGroup(arguments, {.method = "DELETE", .path = fmt::format("/api/v1/sessions/{}", arguments.id)});
  return Finish(arguments, reply, fmt::format("session {} is closed", arguments.id), {{"id", arguments.id}});
}

CLI::App* Add(CLI::App& session, const char* name, const char* help, const char* examples,
              const std::shared_ptr<SessionArguments>& arguments) {
  CLI::App* command = session.add_subcommand(name, help);
  arguments->target = AddTargetFlags(*command);
  command->footer(std::string("Examples:\n") + examples);
  return command;
}

}  // namespace

void RegisterSession(CLI::App& app, ExitCode& exit) {
  CLI::App* session = app.add_subcommand("session", "Client sessions: numbered writes, each applied once");
  session->require_subcommand(1);
  session->footer(kExitCodeHelp);

  const auto open = std::make_shared<SessionArguments>();
  CLI::App* command = Add(
      *session, "open", "Open a session and print its id",
      "  id=$(quorate session open --server http://127.0.0.1:8101)\n"
      "  curl -X PATCH -H \"Idempotency-Key: session $id:1\" ...   (and 2, 3, ...; a retry repeats its own)\n"
      "  etcd clients: metadata quorate-session: $id:1",
      open);
  command->add_option("--lifetime", open->lifetime_s, "Seconds without a write until it ends, 10 to 86400")
      ->capture_default_str();
  command->callback([open, &exit] { exit = Open(*open); });

  const auto close = std::make_shared<SessionArguments>();
  command = Add(*session, "close", "End a session; its outcomes are forgotten",
                "  quorate session close $id --server http://127.0.0.1:8101", close);
  command->add_option("id", close->id, "What `session open` printed")->required();
  command->callback([close, &exit] { exit = Close(*close); });
}

}  // namespace quorate::cli

// The flags that every client command has: whom to ask, how, and how to print.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/deployment.h"
#include "cli/error.h"
#include "cli/group_client.h"

namespace CLI {
class App;
}

namespace quorate::cli {

struct Target {
  std::string oracle, server;  // one of them: a URL; of replicas of one group several, with commas between
  std::string region, group;   // only this one, of the Oracle's
  std::string token, ca_file;
  double timeout_s = 15;
  bool timeout_given = false;  // by --timeout
  std::string format = "text";

  bool json() const { return format == "json"; }
  CallPolicy Policy() const;

  // Every group there is, with the zones that it serves now (where no replica answers: those the Oracle knows
  // of). The error is for people.
  CliResult<std::vector<Group>> Groups() const;
  // The same without asking the groups for their zones.
  CliResult<std::vector<Group>> GroupsAsConfigured() const;
};

// Adds --oracle, --server, ... and -o to `command`, for these ways to print; the first is the default.
std::shared_ptr<Target> AddTargetFlags(CLI::App& command,
                                       const std::vector<std::string>& formats = {"text", "json"});

// Adds --consistency, for reads: linearizable (default), bounded=5s, local.
void AddConsistencyFlag(CLI::App& command, std::string& consistency);
// "?consistency=..."; the default where none was given.
std::string ConsistencyQuery(const std::string& consistency);

// The name in an argument: absolute also without the final dot.
CliResult<dns::Name> NameArgument(const std::string& text);

// "quorate: message" to stderr; gives the code.
ExitCode Fail(const CliError& error);

}  // namespace quorate::cli

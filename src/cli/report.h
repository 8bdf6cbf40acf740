// What a command over several groups tells in the end: each region's outcome, and one exit code.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "cli/deployment.h"
#include "cli/error.h"
#include "cli/group_client.h"

namespace quorate::cli {

class Report {
 public:
  explicit Report(bool json) : json_(json) {}

  void Applied(const GroupZone& at, const std::string& what, const HttpReply& reply);
  void Failed(const GroupZone& at, const CliError& error);
  // Prints everything; the outcomes that are not "applied" to stderr.
  ExitCode Finish() const;

 private:
  struct Line {
    GroupZone at;
    ExitCode code;
    std::string text;
    nlohmann::json json;
  };
  bool json_;
  std::vector<Line> lines_;
};

// Sends `request` to each group and reports; `what` is the text of success.
ExitCode WriteToAll(const GroupClient& client, const std::vector<GroupZone>& groups,
                    const GroupRequest& request, const std::string& what, bool json);

// What -o json says of a write: "applied", "unknown", or why it certainly was not applied ("refused",
// "unavailable", "precondition_failed", "not_found").
const char* OutcomeName(ExitCode code);

// "/api/v1/servers/localhost/zones/{id}"
std::string ZonePath(const dns::Name& zone);

}  // namespace quorate::cli

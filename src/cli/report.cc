#include "cli/report.h"

#include <fmt/format.h>

namespace quorate::cli {
namespace {

nlohmann::json Number(const std::string& text) {
  const nlohmann::json value = nlohmann::json::parse(text, nullptr, false);
  return value.is_number() ? value : nlohmann::json();
}

}  // namespace

void Report::Applied(const GroupZone& at, const std::string& what, const HttpReply& reply) {
  const std::string revision = reply.Header("x-quorate-revision"), serial = reply.Header("x-quorate-serial");
  lines_.push_back({at,
                    ExitCode::kOk,
                    fmt::format("{}: {} (zone {}, revision {}, serial {})", at.group.Label(), what,
                                at.zone.ToText(), revision, serial),
                    {{"revision", Number(revision)}, {"serial", Number(serial)}}});
}

void Report::Failed(const GroupZone& at, const CliError& error) {
  lines_.push_back({at, error.code, error.message, {{"error", error.message}}});
}

ExitCode Report::Finish() const {
  ExitCode exit = ExitCode::kOk;
  nlohmann::json results = nlohmann::json::array();
  for (const Line& line : lines_) {
    exit = Worse(exit, line.code);
    nlohmann::json result = {{"region", line.at.group.region},
                             {"group", line.at.group.name},
                             {"zone", line.at.zone.ToText()},
                             {"outcome", OutcomeName(line.code)}};
    result.update(line.json);
    results.push_back(std::move(result));
    if (line.code != ExitCode::kOk) {
      const std::string label = line.at.group.Label();
      const bool labelled = line.text.starts_with(label);
      fmt::print(stderr, "quorate: {}{}\n", labelled ? "" : label + ": ", line.text);
    } else if (!json_) {
      fmt::print("{}\n", line.text);
    }
  }
  if (json_) fmt::print("{}\n", nlohmann::json({{"results", std::move(results)}}).dump(2));
  return exit;
}

ExitCode WriteToAll(const GroupClient& client, const std::vector<GroupZone>& groups,
                    const GroupRequest& request, const std::string& what, bool json) {
  Report report(json);
  for (const GroupZone& at : groups) {
    const GroupReply reply = client.Call(at.group, request);
    if (!reply.ok()) {
      report.Failed(at, reply.error());
    } else if (reply->status / 100 != 2) {
      report.Failed(at, ErrorOf(*reply));
    } else {
      report.Applied(at, what, *reply);
    }
  }
  return report.Finish();
}

const char* OutcomeName(ExitCode code) {
  switch (code) {
    case ExitCode::kOk:
      return "applied";
    case ExitCode::kUnavailable:
      return "unavailable";
    case ExitCode::kUnknown:
      return "unknown";
    case ExitCode::kPrecondition:
      return "precondition_failed";
    case ExitCode::kNotFound:
      return "not_found";
    default:
      return "refused";
  }
}

std::string ZonePath(const dns::Name& zone) {
  std::string id = zone.IsRoot() ? "=2E" : zone.ToText();
  return "/api/v1/servers/localhost/zones/" + PercentEncode(id);
}

}  // namespace quorate::cli

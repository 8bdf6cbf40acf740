#include "api/http/group_settings.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/configure_reply.h"
#include "api/http/errors.h"
#include "api/http/group_json.h"
#include "api/http/records_json.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using Parsed = Result<replica::ConfigurationChange, std::string>;

constexpr int64_t kMillisecondsMax = 600'000;  // 10 minutes, as raft::WhyUnsound

Parsed ParseLeases(const json& value) {
  if (!value.is_boolean()) return std::string("`leases` must be true or false");
  return replica::ConfigurationChange(replica::SetLeases{value.get<bool>()});
}

Parsed ParsePreset(const json& value) {
  if (value == "lan") return replica::ConfigurationChange(replica::SetTiming{raft::LanTiming()});
  if (value == "wan") return replica::ConfigurationChange(replica::SetTiming{raft::WanTiming()});
  return std::string("`preset` must be \"lan\" or \"wan\"");
}

void SetTime(raft::Timing& timing, const std::string& name, Duration time) {
  if (name == "heartbeat_ms") timing.heartbeat = time;
  if (name == "election_ms") timing.election_min = time, timing.election_max = 2 * time;
  if (name == "lease_ms") timing.lease_wanted = time;
  if (name == "ack_late_ms") timing.ack_late = time;
  if (name == "hold_ms") timing.hold = time;
}

Parsed ParseTiming(const json& value, raft::Timing timing) {
  static constexpr std::string_view kNames = "heartbeat_ms, election_ms, lease_ms, ack_late_ms, hold_ms";
  if (!value.is_object() || value.empty()) return fmt::format("`timing` must have some of {}", kNames);
  for (const auto& [name, time] : value.items()) {
    const bool known = name == "heartbeat_ms" || name == "election_ms" || name == "lease_ms" ||
                       name == "ack_late_ms" || name == "hold_ms";
    if (!known) return fmt::format("`timing` has no `{}`, but {}", name, kNames);
    if (!time.is_number_unsigned() || time.get<uint64_t>() == 0 || time.get<uint64_t>() > kMillisecondsMax)
      return fmt::format("`{}` must be a whole number of milliseconds, 1 to {}", name, kMillisecondsMax);
    SetTime(timing, name, std::chrono::milliseconds(time.get<int64_t>()));
  }
  return replica::ConfigurationChange(replica::SetTiming{timing});
}

Parsed ParseMember(const json& value) {
  const bool fits = value.is_object() && value.size() == 2 && value.contains("id") &&
                    value["id"].is_number_unsigned() && value.contains("lease_eligible") &&
                    value["lease_eligible"].is_boolean();
  if (!fits) return std::string("`member` must be {\"id\": number, \"lease_eligible\": true or false}");
  return replica::ConfigurationChange(
      replica::SetEligible{MemberId{value["id"].get<uint64_t>()}, value["lease_eligible"].get<bool>()});
}

}  // namespace

Parsed ParseGroupChange(const std::string& body, const raft::Timing& now) {
  const json parsed = json::parse(body, nullptr, false);
  if (parsed.is_object() && parsed.size() == 1) {
    const auto [name, value] = *parsed.items().begin();
    if (name == "leases") return ParseLeases(value);
    if (name == "preset") return ParsePreset(value);
    if (name == "timing") return ParseTiming(value, now);
    if (name == "member") return ParseMember(value);
  }
  return std::string("the body must have exactly one of `leases`, `preset`, `timing`, `member`");
}

void HandleGroupPatch(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  replica::Client& client = *context->backend.client;
  const raft::Status raft = client.Status().raft;
  auto change = ParseGroupChange(request.body, raft.configuration.timing);
  if (!change.ok()) return respond(ErrorResponse(400, "malformed", change.error()));
  if (raft.role != raft::Role::kLeader) return respond(NotLeaderResponse(raft));
  client.Configure(*std::move(change), context->write_timeout,
                   [context, respond = std::move(respond)](const absl::Status& status) {
                     const raft::Status now = context->backend.client->Status().raft;
                     if (!status.ok()) return respond(ConfigureFailure(status, now));
                     respond({.body = Dump({{"result", "changed"},
                                            {"leases", now.configuration.leases_on},
                                            {"timing", TimingToJson(now.configuration.timing)}})});
                   });
}

}  // namespace quorate::api

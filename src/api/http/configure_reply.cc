#include "api/http/configure_reply.h"

#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "base/status_macros.h"

namespace quorate::api {
namespace {

// Every change says how something shall be, so sending it again does no harm.
constexpr const char* kSafeAgain = "it is safe to send it again";

}  // namespace

HttpResponse NotLeaderResponse(const raft::Status& raft) {
  nlohmann::json leader = nullptr;
  for (const raft::Member& member : raft.configuration.members)
    if (member.id == raft.leader) leader = {{"id", member.id.value}, {"address", member.address}};
  if (leader.is_null()) return NotProposedResponse(replica::Refusal::kNoLeader);
  return {
      .status = 421,
      .body = Dump({{"error", fmt::format("this replica does not lead; member {} does", raft.leader.value)},
                    {"code", "not_leader"},
                    {"leader", leader},
                    {"hint", "ask the leader"}})};
}

HttpResponse ConfigureFailure(const absl::Status& status, const raft::Status& raft) {
  const auto retry = [&](int code, const char* name) {
    HttpResponse response = ErrorResponse(code, name, MessageOf(status), kSafeAgain);
    response.headers.emplace_back("Retry-After", "1");
    return response;
  };
  switch (status.code()) {
    case absl::StatusCode::kFailedPrecondition:
      return NotLeaderResponse(raft);
    case absl::StatusCode::kInvalidArgument:
      return ErrorResponse(400, "invalid", MessageOf(status), "nothing was changed");
    case absl::StatusCode::kNotFound:
      return ErrorResponse(404, "no_such_member", MessageOf(status), "nothing was changed");
    case absl::StatusCode::kAlreadyExists:
      return ErrorResponse(409, "already", MessageOf(status), "nothing was changed");
    case absl::StatusCode::kAborted:
      return ErrorResponse(409, "would_lose_quorum", MessageOf(status),
                           "nothing was changed; with ?force it is tried all the same, and then the group "
                           "decides nothing, not even a way back, before enough of them answer again");
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kDeadlineExceeded:
      return retry(504, "unknown");
    default:
      return retry(503, "busy");
  }
}

}  // namespace quorate::api

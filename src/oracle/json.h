// The Oracle's JSON: requests in, replies out, and the state file. The requests are those of the original
// system; numbers may be sent as numbers or as strings. Fields that are not known are ignored in requests.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "base/result.h"
#include "oracle/plan.h"

namespace quorate::oracle {

Result<InitRequest, Refusal> ParseInit(std::string_view body);
Result<RegisterRequest, Refusal> ParseRegister(std::string_view body);

struct EnvQuery {
  std::string inst_id, region;
};
Result<EnvQuery, Refusal> ParseEnvQuery(std::string_view body);

// {"phase", "regions": [{"name", "groups": [{"name", "id", "mode", "zones", "replicas": [...]}]}]}
std::string StatusJson(const Deployment& deployment);
// The reply to register_replica and get_env: status `ok` when the replica's group is formed, else `pending`.
std::string EnvJson(const Deployment& deployment, const Replica& replica);
// {"error", "hint"}
std::string RefusalJson(const Refusal& refusal);

// What a replica reads of EnvJson. Nothing while the group is pending.
absl::StatusOr<std::optional<Assignment>> ParseEnv(std::string_view body);

// The state file: {"format":"quorate-oracle","version":1,...}. Decode names what is wrong: other contents, a
// newer version, a state that contradicts itself.
std::string EncodeState(const Deployment& deployment);
absl::StatusOr<Deployment> DecodeState(std::string_view text);

}  // namespace quorate::oracle

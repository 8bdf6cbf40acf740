#include "oracle/service.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "base/status_macros.h"
#include "oracle/json.h"

namespace quorate::oracle {
namespace {

Reply Refused(const Refusal& refusal) { return {.status = refusal.status, .body = RefusalJson(refusal)}; }

Reply NotStored(const absl::Status& status) {
  return Refused(
      {507, MessageOf(status), "make room for the Oracle's state directory, then send this again"});
}

}  // namespace

absl::StatusOr<std::unique_ptr<Service>> Service::Open(const std::string& state_dir) {
  ASSIGN_OR_RETURN(StateFile file, StateFile::Open(state_dir));
  ASSIGN_OR_RETURN(Deployment deployment, file.Load());
  return std::unique_ptr<Service>(new Service(std::move(file), std::move(deployment)));
}

Reply Service::Handle(std::string_view method, std::string_view path, std::string_view body) {
  struct Route {
    std::string_view method, path;
    Reply (Service::*handle)(std::string_view);
  };
  static constexpr std::array<Route, 4> kRoutes = {{
      {"POST", "/init", &Service::Init},
      {"POST", "/register_replica", &Service::RegisterReplica},
      {"POST", "/get_env", &Service::GetEnv},
      {"GET", "/status", &Service::GetStatus},
  }};
  const auto route = std::ranges::find(kRoutes, path, &Route::path);
  if (route == kRoutes.end()) {
    return Refused({404, fmt::format("the Oracle has no `{}`", path),
                    "it knows POST /init, POST /register_replica, POST /get_env and GET /status"});
  }
  if (route->method != method) {
    Reply reply = Refused({405, fmt::format("`{}` takes {}", path, route->method), "use that method"});
    reply.allow = std::string(route->method);
    return reply;
  }
  absl::MutexLock lock(&mutex_);
  return (this->*route->handle)(body);
}

Reply Service::Init(std::string_view body) {
  const Result<InitRequest, Refusal> request = ParseInit(body);
  if (!request.ok()) return Refused(request.error());
  Result<Deployment, Refusal> after = Initialise(deployment_, *request);
  if (!after.ok()) return Refused(after.error());
  if (absl::Status s = Keep(*std::move(after)); !s.ok()) return NotStored(s);
  return GetStatus({});
}

Reply Service::RegisterReplica(std::string_view body) {
  const Result<RegisterRequest, Refusal> request = ParseRegister(body);
  if (!request.ok()) return Refused(request.error());
  Result<Deployment, Refusal> after = Register(deployment_, *request);
  if (!after.ok()) return Refused(after.error());
  if (absl::Status s = Keep(*std::move(after)); !s.ok()) return NotStored(s);
  return {.body = EnvJson(deployment_, *FindInstance(deployment_, request->inst_id))};
}

Reply Service::GetEnv(std::string_view body) {
  const Result<EnvQuery, Refusal> query = ParseEnvQuery(body);
  if (!query.ok()) return Refused(query.error());
  const Result<const Replica*, Refusal> replica = FindEnv(deployment_, query->inst_id, query->region);
  if (!replica.ok()) return Refused(replica.error());
  return {.body = EnvJson(deployment_, **replica)};
}

Reply Service::GetStatus(std::string_view) { return {.body = StatusJson(deployment_)}; }

// Nobody is told of a place that a crash could take back: stored first, known afterwards.
absl::Status Service::Keep(Deployment after) {
  if (after == deployment_) return absl::OkStatus();
  RETURN_IF_ERROR(file_.Save(after));
  deployment_ = std::move(after);
  return absl::OkStatus();
}

}  // namespace quorate::oracle

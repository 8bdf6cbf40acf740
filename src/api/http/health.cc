// For balancers and supervisors. No token is needed: they say nothing but yes, no and why.
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/group_json.h"
#include "api/http/records_json.h"
#include "base/status_macros.h"

namespace quorate::api {
namespace {

constexpr Duration kReadyWithin = std::chrono::seconds(1);
constexpr Duration kReadyFor = std::chrono::milliseconds(200);

HttpResponse Yes(const char* what) { return {.body = Dump({{"status", what}})}; }
HttpResponse No(const std::string& why) {
  return {.status = 503, .body = Dump({{"status", "unavailable"}, {"reason", why}})};
}

// Ready: a linearizable read succeeds. A success counts for a moment, so that many probes cost one round.
void HandleReady(const ContextPtr& context, Respond respond) {
  if (context->backend.why_not_ready) {
    if (const std::string why = context->backend.why_not_ready(); !why.empty()) return respond(No(why));
  }
  const Duration now = context->backend.clock->Boot().since_boot;
  if (now.count() < context->ready_until.load(std::memory_order_relaxed)) return respond(Yes("ready"));
  context->backend.client->Read(
      kReadyWithin, [context, now, respond = std::move(respond)](const absl::Status& status) {
        if (!status.ok()) return respond(No("no linearizable read: " + MessageOf(status)));
        context->ready_until.store((now + kReadyFor).count(), std::memory_order_relaxed);
        respond(Yes("ready"));
      });
}

}  // namespace

void AddHealthRoutes(const ContextPtr& context, Router& router) {
  const auto add = [&](const char* path, HttpHandler handler) {
    router.Add({.method = "GET", .pattern = path, .handler = std::move(handler), .access = Access::kOpen});
  };
  add("/livez", [](const HttpRequest&, const Respond& respond) { respond(Yes("alive")); });
  add("/readyz",
      [context](const HttpRequest&, Respond respond) { HandleReady(context, std::move(respond)); });
  add("/health/leader", [context](const HttpRequest&, const Respond& respond) {
    const raft::Role role = context->backend.client->Status().raft.role;
    respond(role == raft::Role::kLeader ? Yes("leader")
                                        : No(std::string("this replica is a ") + RoleName(role)));
  });
}

}  // namespace quorate::api

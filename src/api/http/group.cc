// What the group and this replica are doing, its settings, and handing leadership over.
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/group_json.h"
#include "api/http/group_settings.h"
#include "api/http/records_json.h"

namespace quorate::api {
namespace {

using nlohmann::json;

void HandleTransfer(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object() || !body.contains("to") || !body["to"].is_number_unsigned()) {
    return respond(
        ErrorResponse(400, "malformed", "the body must be {\"to\": id}, the id of a voter, or 0 for any"));
  }
  const MemberId to{body["to"].get<uint64_t>()};
  context->backend.client->TransferLeadership(to, [respond = std::move(respond)](const absl::Status& status) {
    respond(status.ok() ? HttpResponse{.body = Dump({{"result", "transferred"}})} : StatusResponse(status));
  });
}

}  // namespace

void AddGroupRoutes(const ContextPtr& context, Router& router) {
  router.Add({"GET", "/api/v1/group", [context](const HttpRequest&, const Respond& respond) {
                respond({.body = Dump(GroupToJson(context->backend))});
              }});
  router.Add({"GET", "/api/v1/group/members", [context](const HttpRequest&, const Respond& respond) {
                respond({.body = Dump(MembersToJson(context->backend.client->Status().raft,
                                                    context->backend.feature_level))});
              }});
  router.Add({"PATCH", "/api/v1/group", [context](const HttpRequest& request, Respond respond) {
                HandleGroupPatch(context, request, std::move(respond));
              }});
  router.Add({"POST", "/api/v1/group/transfer", [context](const HttpRequest& request, Respond respond) {
                HandleTransfer(context, request, std::move(respond));
              }});
}

}  // namespace quorate::api

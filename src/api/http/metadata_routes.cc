// /zones/{zone}/metadata, as PowerDNS has it: another way to some of the zone's settings.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/metadata.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "rsm/read.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using Values = std::vector<std::string>;

json ToJson(std::string_view kind, const Values& values) {
  return {{"kind", kind}, {"type", "Metadata"}, {"metadata", values}};
}

HttpResponse NoSuchKind(const std::string& kind) {
  return ErrorResponse(
      422, "invalid", fmt::format("metadata `{}` is nothing here", kind),
      fmt::format("there are {}; everything is under .../settings", fmt::join(MetadataKinds(), ", ")));
}

HttpResponse Get(const kv::MapReader& map, const dns::Name& apex, const std::string& kind) {
  const Revision revision = rsm::ZoneRevision(map, apex);
  if (!revision) return NoSuchZone(apex);
  const zone::Settings settings = rsm::GetZoneSettings(map, revision, apex);
  if (!kind.empty()) return {.body = Dump(ToJson(kind, GetMetadata(settings, kind)))};
  json all = json::array();
  for (const std::string_view each : MetadataKinds()) {
    const Values values = GetMetadata(settings, each);
    if (!values.empty()) all.push_back(ToJson(each, values));
  }
  return {.body = Dump(all)};
}

void HandleGet(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  const auto apex = ZoneOf(request);
  if (!apex.ok()) return respond(apex.error());
  const auto given = request.params.find("kind");
  const std::string kind = given == request.params.end() ? "" : given->second;
  if (!kind.empty() && !IsMetadataKind(kind)) return respond(NoSuchKind(kind));
  context->WorkAfterRead(request, std::move(respond),
                         [context, apex = *apex, kind] { return Get(*context->backend.map, apex, kind); });
}

enum class How : uint8_t { kSet, kAdd, kRemove };

struct Wanted {
  std::string kind;
  Values values;
};
Result<Wanted, HttpResponse> WantedBy(const HttpRequest& request, How how) {
  Wanted wanted;
  if (const auto given = request.params.find("kind"); given != request.params.end())
    wanted.kind = given->second;
  if (how != How::kRemove) {
    const json body = json::parse(request.body, nullptr, false);
    if (!body.is_object()) return ErrorResponse(400, "malformed", "the body is not a JSON object");
    if (wanted.kind.empty() && body.contains("kind") && body["kind"].is_string())
      wanted.kind = body["kind"].get<std::string>();
    const auto values = body.find("metadata");
    const bool good =
        values != body.end() && values->is_array() &&
        std::all_of(values->begin(), values->end(), [](const json& v) { return v.is_string(); });
    if (!good) return ErrorResponse(422, "invalid", "\"metadata\" must be an array of strings");
    wanted.values = values->get<Values>();
  }
  if (!IsMetadataKind(wanted.kind)) return NoSuchKind(wanted.kind);
  return wanted;
}

// What stands there is read, and the command is of that revision: another change between is a conflict.
Result<rsm::Command, HttpResponse> CommandOf(const kv::MapReader& map, const HttpRequest& request,
                                             const dns::Name& apex, How how) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  auto wanted = WantedBy(request, how);
  if (!wanted.ok()) return wanted.error();
  const Revision revision = rsm::ZoneRevision(map, apex);
  if (!revision) return NoSuchZone(apex);
  const zone::Settings settings = rsm::GetZoneSettings(map, revision, apex);
  if (how == How::kAdd) {
    const Values there = GetMetadata(settings, wanted->kind);
    wanted->values.insert(wanted->values.begin(), there.begin(), there.end());
  }
  auto change = MetadataChange(settings, wanted->kind, wanted->values);
  if (!change.ok()) {
    const auto& [conflicts, why] = change.error();
    return ErrorResponse(conflicts ? 409 : 422, conflicts ? "conflict" : "invalid", wanted->kind + ": " + why,
                         "nothing was changed");
  }
  if (!command->if_revision) command->if_revision = revision;
  command->body = rsm::ZoneSettings{.apex = apex, .changes = *std::move(change)};
  return *std::move(command);
}

HttpHandler Write(const ContextPtr& context, How how) {
  return [=](const HttpRequest& request, const Respond& respond) {
    const auto apex = ZoneOf(request);
    if (!apex.ok()) return respond(apex.error());
    auto command = CommandOf(*context->backend.map, request, *apex, how);
    if (!command.ok()) return respond(command.error());
    const std::string kind = how == How::kSet ? request.params.at("kind") : "";
    context->Propose(*std::move(command), [=](const Result<rsm::CommandResult, HttpResponse>& outcome) {
      if (!outcome.ok()) return respond(outcome.error());
      if (kind.empty()) return respond(Stamped({.status = 204}, *outcome));
      respond(Stamped(Get(*context->backend.map, *apex, kind), *outcome));
    });
  };
}

}  // namespace

void AddMetadataRoutes(const ContextPtr& context, Router& router) {
  const std::string all = "/api/v1/servers/{server}/zones/{zone}/metadata", one = all + "/{kind}";
  const auto get = [context](const HttpRequest& request, Respond respond) {
    HandleGet(context, request, std::move(respond));
  };
  router.Add({"GET", all, get});
  router.Add({"GET", one, get});
  router.Add({.method = "POST", .pattern = all, .handler = Write(context, How::kAdd), .writes = true});
  router.Add({.method = "PUT", .pattern = one, .handler = Write(context, How::kSet), .writes = true});
  router.Add({.method = "DELETE", .pattern = one, .handler = Write(context, How::kRemove), .writes = true});
}

}  // namespace quorate::api

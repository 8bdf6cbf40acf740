// Secondary zones: make one, ask its primary now, say how it stands, make it a primary one.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "rsm/read.h"

namespace quorate::api {
namespace {

using nlohmann::json;

constexpr const char* StateName(zone::SecondaryState state) {
  switch (state) {
    case zone::SecondaryState::kNotLoaded:
      return "not-loaded";
    case zone::SecondaryState::kLoaded:
      return "loaded";
    case zone::SecondaryState::kExpired:
      return "expired";
  }
  return "";
}

// {"primaries": ["192.0.2.1@53+key:NAME", ...], "catalog": false}
Result<rsm::Command, HttpResponse> CreateCommand(const HttpRequest& request, const dns::Name& apex) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  const auto invalid = [](const std::string& what) {
    return ErrorResponse(422, "invalid", what, "nothing was changed");
  };
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return ErrorResponse(400, "malformed", "the body is not a JSON object");
  if (!body.contains("primaries") || !body["primaries"].is_array() || body["primaries"].empty())
    return invalid("a secondary zone needs \"primaries\", such as [\"192.0.2.1@53+key:NAME\"]");
  std::string primaries;
  for (const json& primary : body["primaries"]) {
    if (!primary.is_string()) return invalid("\"primaries\" must be texts such as \"192.0.2.1@53+key:NAME\"");
    primaries += (primaries.empty() ? "" : ",") + primary.get<std::string>();
  }
  const auto remotes = zone::RemotesFromText(primaries);
  if (!remotes.ok()) return invalid("\"primaries\": " + remotes.error());
  const bool catalog = body.value("catalog", json(false)) == true;
  command->body = rsm::SecondaryCreate{
      apex, "primaries=" + zone::ToText(*remotes) + (catalog ? "\ncatalog-role=consumed\nquery=key:*" : "")};
  return *std::move(command);
}

Result<rsm::Command, HttpResponse> PromoteCommand(const HttpRequest& request, const dns::Name& apex) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  command->body =
      rsm::ZoneSettings{apex, "catalog-role=none\nfrom-catalog=none\nmember-label=\nprimaries=none"};
  return *std::move(command);
}

using MakeCommand = Result<rsm::Command, HttpResponse> (*)(const HttpRequest&, const dns::Name&);

HttpHandler Writes(const ContextPtr& context, MakeCommand make, int status) {
  return [context, make, status](const HttpRequest& request, const Respond& respond) {
    const auto apex = ZoneOf(request);
    if (!apex.ok()) return respond(apex.error());
    auto command = make(request, *apex);
    if (!command.ok()) return respond(command.error());
    context->Propose(*std::move(command),
                     [respond, status](const Result<rsm::CommandResult, HttpResponse>& outcome) {
                       respond(outcome.ok() ? Stamped({.status = status}, *outcome) : outcome.error());
                     });
  };
}

HttpResponse NotSecondary(const dns::Name& apex) {
  return ErrorResponse(409, "not_secondary", fmt::format("{} is not a secondary zone", apex.ToText()),
                       "it has no primary to ask: its records are changed here");
}

HttpResponse Status(const HttpBackend& backend, const dns::Name& apex) {
  const Revision at = rsm::CurrentRevision(*backend.map);
  const auto soa = rsm::GetRRset(*backend.map, at, apex, apex, dns::RRType::kSOA);
  if (!soa) return NoSuchZone(apex);
  const zone::Settings settings = rsm::GetZoneSettings(*backend.map, at, apex);
  const auto fields = dns::ParseSoa(soa->rrset.rdata.front());
  const auto seconds = [](Duration d) { return std::chrono::duration_cast<std::chrono::seconds>(d).count(); };
  const replica::GroupStatus group = backend.client->Status();
  json body = {{"name", apex.ToText()},
               {"kind", settings.is_secondary() ? "Secondary" : "Primary"},
               {"role", group.raft.role == raft::Role::kLeader ? "leader" : "follower"},
               {"leader", group.raft.leader.value}};
  if (settings.is_servable()) body["serial"] = fields ? fields->serial.value : 0;
  if (!settings.is_secondary()) return {.body = Dump(body)};
  body["state"] = StateName(settings.state);
  body["primaries"] = json::array();
  for (const zone::Remote& primary : settings.primaries) body["primaries"].push_back(zone::ToText(primary));
  if (settings.state != zone::SecondaryState::kNotLoaded)
    body["seconds_since_check"] = std::max<int64_t>(0, seconds(group.group_time - settings.checked_at));
  const auto info = backend.secondary_status ? backend.secondary_status(apex) : std::nullopt;
  if (!info) return {.body = Dump(body)};
  body["under_way"] = info->under_way;
  body["seconds_until_next"] = std::max<int64_t>(0, seconds(info->until_next));
  body["error"] = info->error;
  return {.body = Dump(body)};
}

}  // namespace

void AddZoneTransferRoutes(const ContextPtr& context, Router& router) {
  const std::string zone = "/api/v1/servers/{server}/zones/{zone}";
  router.Add({.method = "PUT",
              .pattern = zone + "/secondary",
              .handler = Writes(context, CreateCommand, 201),
              .writes = true});
  router.Add({.method = "PUT",
              .pattern = zone + "/promote",
              .handler = Writes(context, PromoteCommand, 204),
              .writes = true});
  // As PowerDNS has it.
  router.Add({.method = "PUT",
              .pattern = zone + "/axfr-retrieve",
              .handler = [context](const HttpRequest& request, const Respond& respond) {
                const auto apex = ZoneOf(request);
                if (!apex.ok()) return respond(apex.error());
                const zone::Settings settings =
                    rsm::GetZoneSettings(*context->backend.map, Revision{0}, *apex);
                if (!rsm::ZoneRevision(*context->backend.map, *apex)) return respond(NoSuchZone(*apex));
                if (!settings.is_secondary()) return respond(NotSecondary(*apex));
                if (context->backend.refresh_secondary) context->backend.refresh_secondary(*apex);
                respond({.status = 200, .body = Dump({{"result", "asked for"}})});
              }});
  router.Add({.method = "GET",
              .pattern = zone + "/transfer",
              .handler = [context](const HttpRequest& request, Respond respond) {
                const auto apex = ZoneOf(request);
                if (!apex.ok()) return respond(apex.error());
                context->WorkAfterRead(request, std::move(respond),
                                       [context, apex = *apex] { return Status(context->backend, apex); });
              }});
}

}  // namespace quorate::api

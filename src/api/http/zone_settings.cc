// What is set for a zone beside its records: GET and PATCH of /zones/{zone}/settings, an object of
// "name": "value" as zone/settings.h has them.
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "api/http/zone_settings_json.h"
#include "rsm/read.h"

namespace quorate::api {
namespace {

using nlohmann::json;

HttpResponse GetSettings(const kv::MapReader& map, const dns::Name& apex) {
  const Revision revision = rsm::ZoneRevision(map, apex);
  if (!revision) return NoSuchZone(apex);
  return {.body = Dump(SettingsToJson(rsm::GetZoneSettings(map, revision, apex))),
          .headers = {{"ETag", "\"" + std::to_string(revision.value) + "\""},
                      {"X-Quorate-Revision", std::to_string(revision.value)}}};
}

// The lines of a command. A value of null is the default.
Result<std::string, std::string_view> LinesOf(const json& body) {
  std::string lines;
  const json defaults = SettingsToJson({});
  for (const auto& [name, value] : body.items()) {
    const bool unset = value.is_null() && defaults.contains(name);
    const std::string text = unset                        ? defaults[name].get<std::string>()
                             : value.is_string()          ? value.get<std::string>()
                             : value.is_number_unsigned() ? value.dump()
                                                          : "\n";
    if ((name + text).find('\n') != std::string::npos || name.find('=') != std::string::npos)
      return std::string_view("a setting is \"name\": \"value\", on one line; null is the default");
    lines += (lines.empty() ? "" : "\n") + name + "=" + text;
  }
  if (lines.empty()) return std::string_view("no setting is given");
  return lines;
}

Result<rsm::Command, HttpResponse> PatchCommand(const HttpRequest& request, const dns::Name& apex) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return ErrorResponse(400, "malformed", "the body is not a JSON object");
  auto lines = LinesOf(body);
  if (!lines.ok()) return ErrorResponse(422, "invalid", lines.error(), "nothing was changed");
  command->body = rsm::ZoneSettings{.apex = apex, .changes = *std::move(lines)};
  return *std::move(command);
}

}  // namespace

json SettingsToJson(const zone::Settings& settings) {
  json out = json::object();
  for (const auto& [name, value] : zone::AllSettings(settings)) out[name] = value;
  return out;
}

void AddZoneSettingsRoutes(const ContextPtr& context, Router& router) {
  const std::string path = "/api/v1/servers/{server}/zones/{zone}/settings";
  router.Add({"GET", path, [context](const HttpRequest& request, Respond respond) {
                const auto apex = ZoneOf(request);
                if (!apex.ok()) return respond(apex.error());
                context->WorkAfterRead(request, std::move(respond), [context, apex = *apex] {
                  return GetSettings(*context->backend.map, apex);
                });
              }});
  router.Add({.method = "PATCH",
              .pattern = path,
              .handler =
                  [context](const HttpRequest& request, const Respond& respond) {
                    const auto apex = ZoneOf(request);
                    if (!apex.ok()) return respond(apex.error());
                    auto command = PatchCommand(request, *apex);
                    if (!command.ok()) return respond(command.error());
                    context->Propose(
                        *std::move(command),
                        [respond](const Result<rsm::CommandResult, HttpResponse>& outcome) {
                          respond(outcome.ok() ? Stamped({.status = 204}, *outcome) : outcome.error());
                        });
                  },
              .writes = true});
}

}  // namespace quorate::api

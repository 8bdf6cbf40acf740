// Changing zones: create, change records, replace by a master file, delete.
#include <fmt/format.h>

#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "api/http/zone_text.h"
#include "base/limits.h"
#include "rsm/read.h"
#include "zone/child_records.h"

namespace quorate::api {
namespace {

using nlohmann::json;

// Makes the command, or the reply that says why there is none.
using MakeCommand = std::function<Result<rsm::Command, HttpResponse>()>;
// Answers a command that was applied. Must not block.
using Finish = std::function<void(const rsm::CommandResult&, const Respond&)>;

// Parses on the worker, then proposes.
void ParseAndPropose(const ContextPtr& context, const Respond& respond, MakeCommand make, Finish finish) {
  const bool taken =
      context->worker.TryPost([context, respond, make = std::move(make), finish = std::move(finish)] {
        auto command = make();
        if (!command.ok()) return respond(command.error());
        context->Propose(*std::move(command),
                         [respond, finish](Result<rsm::CommandResult, HttpResponse> outcome) {
                           if (!outcome.ok()) return respond(outcome.error());
                           finish(*outcome, respond);
                         });
      });
  if (!taken) respond(NotProposedResponse(replica::Refusal::kQueueFull));
}

HttpResponse Invalid(const std::string& what) {
  return ErrorResponse(422, "invalid", what, "nothing was changed");
}

void NoContent(const rsm::CommandResult& result, const Respond& respond) {
  respond(Stamped({.status = 204}, result));
}

// --- PATCH ---

// CDS and its like, where they cannot be.
std::optional<std::string> WhyNoEdit(const dns::Name& apex, const zone::RRsetEdit& edit) {
  using Kind = zone::RRsetEdit::Kind;
  if (edit.kind != Kind::kReplace && edit.kind != Kind::kAddRecords) return std::nullopt;
  for (const std::string& rdata : edit.rdata) {
    if (auto why = zone::WhyNoChildRecord(apex, edit.owner, edit.type, rdata)) return why;
  }
  return zone::WhyNoChildRRset(edit.type, edit.rdata);
}

Result<rsm::Command, HttpResponse> PatchCommand(const kv::MapReader& map, const HttpRequest& request,
                                                const dns::Name& apex) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  const json body = json::parse(request.body, nullptr, false);
  if (body.is_discarded()) return ErrorResponse(400, "malformed", "the body is not JSON");
  auto edits = EditsOf(body);
  if (!edits.ok()) return Invalid(edits.error().what);
  rsm::ZoneChange change{.apex = apex};
  const uint32_t default_ttl = rsm::GetZoneSettings(map, Revision{0}, apex).default_ttl;
  for (PatchEdit& patch : *edits) {
    if (auto why = WhyNoEdit(apex, patch.edit)) return Invalid(*why);
    if (patch.edit.kind == zone::RRsetEdit::Kind::kAddRecords && !patch.ttl_given) {
      patch.edit.ttl = default_ttl;
      patch.edit.keep_ttl = true;
    }
    change.edits.push_back(std::move(patch.edit));
  }
  command->body = std::move(change);
  return *std::move(command);
}

// --- POST ---

Result<std::vector<dns::Name>, HttpResponse> NameserversOf(const json& body) {
  std::vector<dns::Name> out;
  const auto found = body.find("nameservers");
  if (found == body.end() || found->is_null()) return out;
  if (!found->is_array()) return Invalid("\"nameservers\" must be an array of names");
  for (const json& text : *found) {
    if (!text.is_string()) return Invalid("\"nameservers\" must be an array of names");
    if (!text.get_ref<const std::string&>().ends_with('.'))
      return Invalid(fmt::format("the nameserver `{}` must end with a dot", text.get<std::string>()));
    const auto name = dns::Name::FromText(text.get<std::string>());
    if (!name.ok()) return Invalid(fmt::format("nameserver `{}`: {}", text.get<std::string>(), name.error()));
    out.push_back(*name);
  }
  return out;
}

Result<std::vector<dns::RRset>, HttpResponse> ContentOf(const json& body, const dns::Name& apex) {
  const auto text = body.find("zone");
  if (text != body.end() && text->is_string()) {
    auto rrsets = RRsetsOfZoneText(apex, text->get_ref<const std::string&>());
    if (!rrsets.ok()) return BadZoneText(rrsets.error());
    return *std::move(rrsets);
  }
  const auto given = body.find("rrsets");
  if (given == body.end() || given->is_null()) return std::vector<dns::RRset>();
  auto rrsets = RRsetsOf(*given);
  if (!rrsets.ok()) return Invalid(rrsets.error().what);
  return *std::move(rrsets);
}

// What asks for something that is not done here is refused, not ignored.
std::optional<HttpResponse> CheckZoneMembers(const json& body) {
  const auto given = [&](const char* name) { return body.contains(name) && !body[name].is_null(); };
  if (given("kind") && body["kind"] != "Native" && body["kind"] != "Primary" && body["kind"] != "Master")
    return Invalid("\"kind\" must be Native or Primary: zones are not copied from other servers");
  if (given("zone") && !body["zone"].is_string())
    return Invalid("\"zone\" must be the text of a master file, a string");
  if (given("dnssec") && body["dnssec"] != false)
    return Invalid("\"dnssec\" must be false: zones are not signed here");
  if (given("masters") && body["masters"] != json::array())
    return Invalid("\"masters\" must be empty: zones are not copied from other servers");
  return std::nullopt;
}

Result<rsm::Command, HttpResponse> CreateCommand(const HttpRequest& request) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return ErrorResponse(400, "malformed", "the body is not a JSON object");
  const auto name = body.find("name");
  if (name == body.end() || !name->is_string()) return Invalid("a zone needs a \"name\", a string");
  if (!name->get_ref<const std::string&>().ends_with('.'))
    return Invalid(fmt::format("the name `{}` must end with a dot", name->get<std::string>()));
  const auto apex = dns::Name::FromText(name->get<std::string>());
  if (!apex.ok()) return Invalid(fmt::format("the name `{}`: {}", name->get<std::string>(), apex.error()));
  if (auto refusal = CheckZoneMembers(body)) return *std::move(refusal);
  if (body.contains("consistency") && body["consistency"] != ToText(Consistency()))
    return Invalid("\"consistency\" is set by a PUT on the zone once it is there");
  const auto nameservers = NameserversOf(body);
  if (!nameservers.ok()) return nameservers.error();
  auto rrsets = ContentOf(body, *apex);
  if (!rrsets.ok()) return rrsets.error();
  AddApexDefaults(*apex, *nameservers, *rrsets);
  command->body = rsm::ZoneCreate{.apex = *apex, .rrsets = *std::move(rrsets)};
  return *std::move(command);
}

// PowerDNS answers with the zone as it now is.
HttpResponse Created(const kv::MapReader& map, const rsm::CommandResult& result, const dns::Name& apex,
                     bool with_rrsets) {
  const std::string url = "/api/v1/servers/localhost/zones/" + ZoneIdOf(apex);
  json body = {{"id", ZoneIdOf(apex)},
               {"name", apex.ToText()},
               {"url", url},
               {"kind", "Native"},
               {"serial", result.serial.value},
               {"edited_serial", result.serial.value},
               {"notified_serial", 0},
               {"masters", json::array()},
               {"account", ""},
               {"dnssec", false},
               {"consistency", ToText(Consistency())},
               {"revision", result.revision.value}};
  if (with_rrsets) {
    json& rrsets = body["rrsets"] = json::array();
    rsm::ForEachRRset(map, result.revision, apex, [&](const rsm::StoredRRset& stored) {
      rrsets.push_back(StoredRRsetToJson(stored));
      return true;
    });
  }
  return Stamped({.status = 201, .body = Dump(body), .headers = {{"Location", url}}}, result);
}

void HandleCreate(const ContextPtr& context, HttpRequest request, const Respond& respond) {
  if (auto refusal = CheckServer(request)) return respond(*std::move(refusal));
  const bool with_rrsets = request.Query("rrsets") != "false";
  const auto apex = std::make_shared<dns::Name>();
  const auto make = [apex, request = std::move(request)]() -> Result<rsm::Command, HttpResponse> {
    auto command = CreateCommand(request);
    if (command.ok()) *apex = std::get<rsm::ZoneCreate>(command->body).apex;
    return command;
  };
  // A large zone's reply is made on the worker, not on the thread that applies.
  ParseAndPropose(context, respond, make, [=](const rsm::CommandResult& result, const Respond& answer) {
    const auto reply = [context, apex, result](bool rrsets) {
      return Created(*context->backend.map, result, *apex, rrsets);
    };
    const bool taken = with_rrsets && context->worker.TryPost([answer, reply] { answer(reply(true)); });
    if (!taken) answer(reply(false));
  });
}

// --- PUT ---

// PowerDNS changes a zone's own members by this; here there is one that can be changed.
Result<rsm::Command, HttpResponse> SettingsCommand(const HttpRequest& request, const dns::Name& apex) {
  auto command = CommandFor(request);
  if (!command.ok()) return command.error();
  const json body = json::parse(request.body, nullptr, false);
  if (!body.is_object()) return ErrorResponse(400, "malformed", "the body is not a JSON object");
  if (auto refusal = CheckZoneMembers(body)) return *std::move(refusal);
  const auto given = body.find("consistency");
  const auto consistency = given != body.end() && given->is_string()
                               ? ParseConsistency(given->get_ref<const std::string&>())
                               : std::nullopt;
  if (!consistency) {
    return Invalid(
        "a PUT sets \"consistency\", which must be `linearizable`, `bounded=5s` (whole seconds, a day at "
        "most) "
        "or `local`");
  }
  command->body = rsm::ZoneSettings{.apex = apex, .changes = "consistency=" + ToText(*consistency)};
  return *std::move(command);
}

// --- DELETE ---

Result<rsm::Command, HttpResponse> DeleteCommand(const HttpRequest& request, const dns::Name& apex) {
  auto command = CommandFor(request);
  if (command.ok()) command->body = rsm::ZoneDelete{apex};
  return command;
}

using ZoneCommand = std::function<Result<rsm::Command, HttpResponse>(const HttpRequest&, const dns::Name&)>;

HttpHandler WriteZone(const ContextPtr& context, ZoneCommand make, Finish finish) {
  return [=](HttpRequest request, Respond respond) {
    const auto apex = ZoneOf(request);
    if (!apex.ok()) return respond(apex.error());
    ParseAndPropose(
        context, std::move(respond),
        [make, apex = *apex, request = std::move(request)] { return make(request, apex); }, finish);
  };
}

}  // namespace

void AddZoneWriteRoutes(const ContextPtr& context, Router& router) {
  const std::string zones = "/api/v1/servers/{server}/zones", zone = zones + "/{zone}";
  router.Add({.method = "POST",
              .pattern = zones,
              .handler =
                  [context](HttpRequest request, Respond respond) {
                    HandleCreate(context, std::move(request), std::move(respond));
                  },
              .body_bytes_max = limits::kCommandBytesMax,
              .writes = true});
  router.Add({.method = "PATCH",
              .pattern = zone,
              .handler = WriteZone(
                  context,
                  [context](const HttpRequest& request, const dns::Name& apex) {
                    return PatchCommand(*context->backend.map, request, apex);
                  },
                  NoContent),
              .writes = true});
  router.Add({.method = "PUT",
              .pattern = zone,
              .handler = WriteZone(context, SettingsCommand, NoContent),
              .writes = true});
  router.Add({.method = "DELETE",
              .pattern = zone,
              .handler = WriteZone(context, DeleteCommand, NoContent),
              .writes = true});
}

}  // namespace quorate::api

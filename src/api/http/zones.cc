// Reading zones: list, one, its RRsets, its master file.
#include <algorithm>
#include <nlohmann/json.hpp>

#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/records_json.h"
#include "api/http/zone_names.h"
#include "api/http/zone_settings_json.h"
#include "kv/store.h"
#include "rsm/read.h"
#include "zone/export.h"

namespace quorate::api {
namespace {

using nlohmann::json;
using rsm::StoredRRset;

constexpr const char* kZones = "/api/v1/servers/localhost/zones/";

// One zone as of one revision.
struct ZoneReader {
  const kv::MapReader& map;
  dns::Name apex;
  Revision at = rsm::CurrentRevision(map);
  std::optional<StoredRRset> soa = rsm::GetRRset(map, at, apex, apex, dns::RRType::kSOA);

  uint32_t Serial() const {
    const auto fields = soa->rrset.rdata.empty() ? std::nullopt : dns::ParseSoa(soa->rrset.rdata.front());
    return fields ? fields->serial.value : 0;
  }
  // False: compaction passed `at` meanwhile, so that not all was there to be read.
  bool IsWhole() const { return kv::ReadMeta(map).compacted <= at; }
};

HttpResponse CompactedMeanwhile() {
  HttpResponse response =
      ErrorResponse(503, "compacted", "the history was compacted while the zone was read");
  response.headers.emplace_back("Retry-After", "0");
  return response;
}

HttpResponse WithEtag(HttpResponse response, Revision revision) {
  response.headers.emplace_back("ETag", "\"" + std::to_string(revision.value) + "\"");
  response.headers.emplace_back("X-Quorate-Revision", std::to_string(revision.value));
  return response;
}

json ZoneHead(const ZoneReader& zone) {
  const zone::Settings settings = rsm::GetZoneSettings(zone.map, zone.at, zone.apex);
  json masters = json::array();
  for (const zone::Remote& primary : settings.primaries) masters.push_back(zone::ToText(primary));
  return {{"id", ZoneIdOf(zone.apex)},
          {"name", zone.apex.ToText()},
          {"url", kZones + ZoneIdOf(zone.apex)},
          {"kind", settings.is_secondary() ? "Slave" : "Native"},
          {"serial", zone.Serial()},
          {"edited_serial", zone.Serial()},
          {"notified_serial", 0},
          {"masters", std::move(masters)},
          {"account", ""},
          {"last_check", 0},
          {"dnssec", false},
          {"consistency", ToText(settings.consistency)},
          {"settings", SettingsToJson(settings)},
          {"revision", zone.soa->mod_revision.value}};
}

// The RRsets asked for by ?rrset_name= and ?rrset_type=, or ?name= and ?type=.
struct Filter {
  std::optional<dns::Name> name;
  std::optional<dns::RRType> type;

  bool Takes(const StoredRRset& stored) const {
    return (!name || stored.rrset.owner == *name) && (!type || stored.rrset.type == *type);
  }
};
Result<Filter, HttpResponse> FilterOf(const HttpRequest& request, const char* name_key,
                                      const char* type_key) {
  Filter filter;
  if (const std::string text = request.Query(name_key); !text.empty()) {
    const auto name = dns::Name::FromText(text);
    if (!name.ok()) return ErrorResponse(422, "invalid", "the name `" + text + "`: " + name.error());
    filter.name = *name;
  }
  if (const std::string text = request.Query(type_key); !text.empty()) {
    filter.type = dns::TypeFromText(text);
    if (!filter.type) return ErrorResponse(422, "invalid", "unknown type `" + text + "`");
  }
  return filter;
}

void ForEachMatch(const ZoneReader& zone, const Filter& filter,
                  const std::function<void(const StoredRRset&)>& visit) {
  if (filter.name && filter.type) {
    if (const auto stored = rsm::GetRRset(zone.map, zone.at, zone.apex, *filter.name, *filter.type))
      visit(*stored);
    return;
  }
  rsm::ForEachRRset(zone.map, zone.at, zone.apex, [&](const StoredRRset& stored) {
    if (filter.Takes(stored)) visit(stored);
    return true;
  });
}

HttpResponse GetZone(const kv::MapReader& map, const dns::Name& apex, const Filter& filter,
                     bool with_rrsets) {
  const ZoneReader zone{map, apex};
  if (!zone.soa) return NoSuchZone(apex);
  json body = ZoneHead(zone);
  if (with_rrsets) {
    json& rrsets = body["rrsets"] = json::array();
    ForEachMatch(zone, filter,
                 [&](const StoredRRset& stored) { rrsets.push_back(StoredRRsetToJson(stored)); });
  }
  if (!zone.IsWhole()) return CompactedMeanwhile();
  return WithEtag({.body = Dump(body)}, zone.soa->mod_revision);
}

HttpResponse GetRRsets(const kv::MapReader& map, const dns::Name& apex, const Filter& filter) {
  const ZoneReader zone{map, apex};
  if (!zone.soa) return NoSuchZone(apex);
  json rrsets = json::array();
  Revision newest{0};
  ForEachMatch(zone, filter, [&](const StoredRRset& stored) {
    rrsets.push_back(StoredRRsetToJson(stored));
    newest = std::max(newest, stored.mod_revision);
  });
  if (!zone.IsWhole()) return CompactedMeanwhile();
  // Nothing there: what was read is true as of this revision.
  if (!newest) newest = zone.at;
  return WithEtag({.body = Dump({{"zone", apex.ToText()},
                                 {"revision", zone.at.value},
                                 {"serial", zone.Serial()},
                                 {"rrsets", std::move(rrsets)}})},
                  newest);
}

// Name by name, since the TTL of a signature is that of the RRset beside it (RFC 4034 3).
HttpResponse ExportZone(const kv::MapReader& map, const dns::Name& apex) {
  const ZoneReader zone{map, apex};
  if (!zone.soa) return NoSuchZone(apex);
  std::string text;
  // The RRsets of one name; the apex comes first, and its SOA before all, as other servers' loaders expect
  // it.
  std::vector<dns::RRset> owner;
  rsm::ForEachRRset(map, zone.at, apex, [&](const StoredRRset& stored) {
    if (!owner.empty() && !(owner.front().owner == stored.rrset.owner)) {
      text += zone::NodeToText(owner);
      owner.clear();
    }
    const bool is_soa = stored.rrset.type == dns::RRType::kSOA;
    owner.insert(is_soa ? owner.begin() : owner.end(), stored.rrset);
    return true;
  });
  text += zone::NodeToText(owner);
  if (!zone.IsWhole()) return CompactedMeanwhile();
  return WithEtag({.body = std::move(text), .content_type = "text/plain; charset=us-ascii"},
                  zone.soa->mod_revision);
}

HttpResponse ListZones(const HttpBackend& backend, const std::optional<dns::Name>& only, bool with_rrsets) {
  json body = json::array();
  for (const dns::Name& apex : backend.zones()) {
    if (only && !(*only == apex)) continue;
    const ZoneReader zone{*backend.map, apex};
    if (!zone.soa) continue;  // deleted since the list was taken
    body.push_back(ZoneHead(zone));
    if (with_rrsets) {
      json& rrsets = body.back()["rrsets"] = json::array();
      ForEachMatch(zone, {}, [&](const StoredRRset& stored) { rrsets.push_back(StoredRRsetToJson(stored)); });
    }
    if (!zone.IsWhole()) return CompactedMeanwhile();
  }
  return WithEtag({.body = Dump(body)}, rsm::CurrentRevision(*backend.map));
}

void HandleList(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  if (auto refusal = CheckServer(request)) return respond(*std::move(refusal));
  std::optional<dns::Name> only;
  if (const std::string text = request.Query("zone"); !text.empty()) {
    const auto name = dns::Name::FromText(text);
    if (!name.ok()) return respond(ErrorResponse(422, "invalid", "the name `" + text + "`: " + name.error()));
    only = *name;
  }
  const bool with_rrsets = request.Query("rrsets") == "true";
  context->WorkAfterRead(request, std::move(respond), [context, only, with_rrsets] {
    return ListZones(context->backend, only, with_rrsets);
  });
}

using ReadZone = std::function<HttpResponse(const kv::MapReader&, const dns::Name&, const Filter&)>;

HttpHandler OneZone(const ContextPtr& context, const char* name_key, const char* type_key, ReadZone read) {
  return [=](const HttpRequest& request, Respond respond) {
    const auto apex = ZoneOf(request);
    if (!apex.ok()) return respond(apex.error());
    const auto filter = FilterOf(request, name_key, type_key);
    if (!filter.ok()) return respond(filter.error());
    context->WorkAfterRead(request, std::move(respond), [context, read, apex = *apex, filter = *filter] {
      return read(*context->backend.map, apex, filter);
    });
  };
}

}  // namespace

std::optional<HttpResponse> CheckServer(const HttpRequest& request) {
  const auto server = request.params.find("server");
  if (server != request.params.end() && server->second == "localhost") return std::nullopt;
  return ErrorResponse(404, "no_such_server", "the only server is `localhost`");
}

Result<dns::Name, HttpResponse> ZoneOf(const HttpRequest& request) {
  if (auto refusal = CheckServer(request)) return *std::move(refusal);
  const auto apex = ZoneOfId(request.params.at("zone"));
  if (!apex.ok()) return ErrorResponse(404, "no_such_zone", apex.error());
  return *apex;
}

HttpResponse NoSuchZone(const dns::Name& apex) {
  return ErrorResponse(404, "no_such_zone", "there is no zone " + apex.ToText() + " in this group",
                       "GET /api/v1/servers/localhost/zones lists the zones of this group");
}

void AddZoneRoutes(const ContextPtr& context, Router& router) {
  const std::string zones = "/api/v1/servers/{server}/zones", zone = zones + "/{zone}";
  router.Add({"GET", zones, [context](const HttpRequest& request, Respond respond) {
                HandleList(context, request, std::move(respond));
              }});
  // PowerDNS gives the rrsets unless ?rrsets=false.
  router.Add({"GET", zone, [context](const HttpRequest& request, Respond respond) {
                const bool with_rrsets = request.Query("rrsets") != "false";
                OneZone(context, "rrset_name", "rrset_type",
                        [with_rrsets](const kv::MapReader& map, const dns::Name& apex, const Filter& filter) {
                          return GetZone(map, apex, filter, with_rrsets);
                        })(request, std::move(respond));
              }});
  router.Add({"GET", zone + "/rrsets", OneZone(context, "name", "type", GetRRsets)});
  router.Add({"GET", zone + "/export",
              OneZone(context, "", "", [](const kv::MapReader& map, const dns::Name& apex, const Filter&) {
                return ExportZone(map, apex);
              })});
}

}  // namespace quorate::api

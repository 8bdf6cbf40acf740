#include "api/http/members.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <nlohmann/json.hpp>
#include <optional>

#include "api/http/configure_reply.h"
#include "api/http/context.h"
#include "api/http/errors.h"
#include "api/http/group_json.h"
#include "api/http/records_json.h"
#include "base/limits.h"

namespace quorate::api {
namespace {

using nlohmann::json;

constexpr size_t kInstanceDigitsMax = 16;

template <class T>
bool ParseWhole(std::string_view text, T& value, int base = 10) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
  return error == std::errc() && end == text.data() + text.size();
}

bool IsHostAndPort(std::string_view text) {
  const size_t colon = text.rfind(':');
  uint16_t port = 0;
  if (text.size() > limits::kAddressBytesMax || colon == std::string_view::npos || colon == 0) return false;
  if (std::ranges::any_of(text, [](char c) { return c <= ' ' || c > '~' || c == '/'; })) return false;
  return ParseWhole(text.substr(colon + 1), port) && port != 0;
}

// Sets one field of `add`; empty: it is well. Else what it must be.
std::string SetField(const std::string& name, const json& value, replica::AddMember& add) {
  if (name == "address") {
    if (!value.is_string() || !IsHostAndPort(value.get<std::string>())) return "host:port of its peer port";
    add.address = value.get<std::string>();
  } else if (name == "learner") {
    if (!value.is_boolean()) return "true or false";
    add.promote = !value.get<bool>();
  } else if (name == "replaces") {
    if (!value.is_number_unsigned() || value.get<uint64_t>() == 0) return "the id of a member";
    add.replaces = MemberId{value.get<uint64_t>()};
  } else if (name == "instance") {
    const std::string digits = value.is_string() ? value.get<std::string>() : "";
    if (digits.size() > kInstanceDigitsMax || !ParseWhole(digits, add.instance, 16) || add.instance == 0)
      return "1 to 16 hexadecimal digits, not all 0";
  } else {
    return "left out: there are address, learner, replaces, instance";
  }
  return "";
}

json ListToJson(const Context& context) {
  const replica::GroupStatus status = context.backend.client->Status();
  const raft::Status& raft = status.raft;
  return {{"group", {{"id", status.group.value}, {"name", context.backend.group}}},
          {"replica", raft.self.value},
          {"leader", raft.leader.value},
          {"role", RoleName(raft.role)},
          {"feature_level", raft.configuration.feature_level},
          {"change_under_way", IsChangeUnderWay(raft.configuration)},
          {"members", MembersToJson(raft, context.backend.feature_level)}};
}

// All that a process needs to take its place as that member.
json PlaceToJson(const Context& context, const raft::Member& member) {
  json out = ListToJson(context);
  out["id"] = member.id.value;
  out["address"] = member.address;
  out["instance"] = InstanceText(member.instance);
  return out;
}

// The member that `add` means, or that stands against it: the same data directory before the same address.
std::optional<raft::Member> FindAdded(const raft::Configuration& c, const replica::AddMember& add) {
  const auto find = [&](auto matches) {
    const auto at = std::ranges::find_if(c.members, matches);
    return at == c.members.end() ? std::nullopt : std::optional(*at);
  };
  if (add.instance != 0) {
    if (auto same = find([&](const raft::Member& m) { return m.instance == add.instance; })) return same;
  }
  return find([&](const raft::Member& m) { return m.address == add.address && m.id != add.replaces; });
}

HttpResponse Added(const Context& context, const replica::AddMember& add, const absl::Status& status) {
  const raft::Status raft = context.backend.client->Status().raft;
  const auto member = FindAdded(raft.configuration, add);
  if (status.ok() && member) return {.status = 201, .body = Dump(PlaceToJson(context, *member))};
  if (status.ok()) return ErrorResponse(409, "removed", "the new member was removed again meanwhile");
  HttpResponse response = ConfigureFailure(status, raft);
  if (!absl::IsAlreadyExists(status) || !member) return response;
  json body = json::parse(response.body);
  body["place"] = PlaceToJson(context, *member);
  response.body = Dump(body);
  return response;
}

// Answers itself where this replica cannot change anything.
bool Leads(const Context& context, const Respond& respond) {
  const raft::Status raft = context.backend.client->Status().raft;
  if (raft.role == raft::Role::kLeader) return true;
  respond(NotLeaderResponse(raft));
  return false;
}

void HandleAdd(const ContextPtr& context, const HttpRequest& request, Respond respond) {
  auto add = ParseNewMember(request.body);
  if (!add.ok()) return respond(ErrorResponse(400, "malformed", add.error()));
  if (!Leads(*context, respond)) return;
  context->backend.client->Configure(
      *add, context->write_timeout,
      [context, add = *add, respond = std::move(respond)](const absl::Status& status) {
        respond(Added(*context, add, status));
      });
}

// "?force", "?force=true"; nullopt: neither that nor left out.
std::optional<bool> Force(const HttpRequest& request) {
  if (!request.query.contains("force")) return false;
  const std::string value = request.Query("force");
  if (value.empty() || value == "true") return true;
  if (value == "false") return false;
  return std::nullopt;
}

using MakeChange = replica::ConfigurationChange (*)(MemberId, bool force);

void HandleChange(const ContextPtr& context, MakeChange make, const HttpRequest& request, Respond respond) {
  MemberId id;
  const auto force = Force(request);
  if (!ParseWhole(request.params.at("id"), id.value) || !id)
    return respond(ErrorResponse(400, "malformed", "a member's id is a number, from 1"));
  if (!force) return respond(ErrorResponse(400, "malformed", "force is true or false"));
  if (!Leads(*context, respond)) return;
  context->backend.client->Configure(
      make(id, *force), context->write_timeout,
      [context, id, respond = std::move(respond)](const absl::Status& status) {
        const raft::Status raft = context->backend.client->Status().raft;
        if (status.ok()) return respond({.body = Dump(ListToJson(*context))});
        if (absl::IsNotFound(status) && id <= raft.configuration.last_id)
          return respond(
              ErrorResponse(404, "removed", fmt::format("member {} was removed already", id.value)));
        respond(ConfigureFailure(status, raft));
      });
}

}  // namespace

Result<replica::AddMember, std::string> ParseNewMember(const std::string& body) {
  const json parsed = json::parse(body, nullptr, false);
  if (!parsed.is_object() || !parsed.contains("address"))
    return std::string("the body must be {\"address\": \"host:port\"}, the new member's peer port");
  replica::AddMember add;
  for (const auto& [name, value] : parsed.items())
    if (const std::string wrong = SetField(name, value, add); !wrong.empty())
      return fmt::format("`{}` must be {}", name, wrong);
  if (add.replaces && !add.promote)
    return std::string("a learner replaces nobody: leave out `learner` or `replaces`");
  return add;
}

void AddMemberRoutes(const ContextPtr& context, Router& router) {
  router.Add({"GET", "/api/v1/members", [context](const HttpRequest&, const Respond& respond) {
                respond({.body = Dump(ListToJson(*context))});
              }});
  router.Add({"POST", "/api/v1/members", [context](const HttpRequest& request, Respond respond) {
                HandleAdd(context, request, std::move(respond));
              }});
  const auto add = [&](const char* method, const char* path, MakeChange make) {
    router.Add({method, path, [context, make](const HttpRequest& request, Respond respond) {
                  HandleChange(context, make, request, std::move(respond));
                }});
  };
  add("DELETE", "/api/v1/members/{id}", [](MemberId id, bool force) -> replica::ConfigurationChange {
    return replica::RemoveMember{id, force};
  });
  add("POST", "/api/v1/members/{id}/promote",
      [](MemberId id, bool) -> replica::ConfigurationChange { return replica::PromoteMember{id}; });
  add("POST", "/api/v1/members/{id}/demote", [](MemberId id, bool force) -> replica::ConfigurationChange {
    return replica::DemoteMember{id, force};
  });
}

}  // namespace quorate::api

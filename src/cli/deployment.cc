#include "cli/deployment.h"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>

namespace quorate::cli {
namespace {

using nlohmann::json;

std::string Text(const json& object, const char* name) {
  const auto found = object.find(name);
  return found != object.end() && found->is_string() ? found->get<std::string>() : std::string();
}

const json& List(const json& object, const char* name) {
  static const json empty = json::array();
  const auto found = object.find(name);
  return found != object.end() && found->is_array() ? *found : empty;
}

Group ParseGroup(const std::string& region, const json& value) {
  Group group{.region = region, .name = Text(value, "name")};
  for (const json& zone : List(value, "zones")) {
    if (!zone.is_string()) continue;
    if (const auto name = dns::Name::FromText(zone.get<std::string>()); name.ok())
      group.zones.push_back(*name);
  }
  for (const json& replica : List(value, "replicas")) {
    if (!replica.is_object()) continue;
    const auto id = replica.find("id");
    group.replicas.push_back({.id = id != replica.end() && id->is_number_unsigned() ? id->get<uint64_t>() : 0,
                              .http = Text(replica, "http").empty() ? "" : NormalUrl(Text(replica, "http")),
                              .dns = Text(replica, "dns"),
                              .etcd = Text(replica, "etcd")});
  }
  return group;
}

}  // namespace

std::string Group::Label() const {
  if (!name.empty()) return region.empty() ? name : region + "/" + name;
  return replicas.empty() ? "?" : replicas.front().http;
}

CliResult<std::vector<Group>> ParseDeployment(std::string_view text) {
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object() || !value.contains("regions")) {
    return CliError{ExitCode::kFailed,
                    "the Oracle's /status is not the expected JSON; is this URL an Oracle's?"};
  }
  std::vector<Group> groups;
  for (const json& region : List(value, "regions")) {
    if (!region.is_object()) continue;
    for (const json& group : List(region, "groups")) {
      if (group.is_object()) groups.push_back(ParseGroup(Text(region, "name"), group));
    }
  }
  return groups;
}

std::string NormalUrl(std::string_view url) {
  while (url.ends_with('/')) url.remove_suffix(1);
  if (url.find("://") == std::string_view::npos) return fmt::format("http://{}", url);
  return std::string(url);
}

std::optional<dns::Name> ChooseZone(const std::vector<dns::Name>& zones, const dns::Name& owner,
                                    dns::RRType type) {
  std::optional<dns::Name> best, itself;
  for (const dns::Name& zone : zones) {
    if (!owner.IsAtOrBelow(zone)) continue;
    if (type == dns::RRType::kDS && zone == owner) {
      itself = zone;
    } else if (!best || zone.LabelCount() > best->LabelCount()) {
      best = zone;
    }
  }
  return best ? best : itself;
}

std::vector<GroupZone> ChooseGroups(const std::vector<Group>& groups, const dns::Name& owner,
                                    dns::RRType type) {
  std::vector<dns::Name> all;
  for (const Group& group : groups) all.insert(all.end(), group.zones.begin(), group.zones.end());
  const auto zone = ChooseZone(all, owner, type);
  return zone ? GroupsOfZone(groups, *zone) : std::vector<GroupZone>();
}

std::vector<GroupZone> GroupsOfZone(const std::vector<Group>& groups, const dns::Name& zone) {
  std::vector<GroupZone> out;
  for (const Group& group : groups) {
    if (std::find(group.zones.begin(), group.zones.end(), zone) != group.zones.end())
      out.push_back({group, zone});
  }
  return out;
}

}  // namespace quorate::cli

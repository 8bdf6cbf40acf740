#include "api/http/metadata.h"

#include <algorithm>
#include <array>

namespace quorate::api {
namespace {

using Values = std::vector<std::string>;
using Change = Result<std::string, MetadataRefusal>;
using Key = zone::Acl::Key;

constexpr std::array<std::string_view, 7> kKinds = {
    "ALLOW-AXFR-FROM", "TSIG-ALLOW-AXFR",    "ALLOW-DNSUPDATE-FROM", "TSIG-ALLOW-DNSUPDATE",
    "ALSO-NOTIFY",     "SOA-EDIT-DNSUPDATE", "SOA-EDIT-API"};

constexpr std::string_view kEveryIpv4 = "0.0.0.0/0", kEveryIpv6 = "::/0", kEveryKey = "*";

void AddOnce(std::string value, Values& out) {
  if (std::find(out.begin(), out.end(), value) == out.end()) out.push_back(std::move(value));
}

// Which of the two settings that are access lists a kind is a part of.
struct AccessList {
  std::string_view setting;
  zone::Acl zone::Settings::*acl;
  bool both;  // network and key of a rule go together
};
constexpr AccessList kTransfer{"transfer", &zone::Settings::transfer, false};
constexpr AccessList kUpdate{"update", &zone::Settings::update, true};

const AccessList* ListOf(std::string_view kind) {
  if (kind == "ALLOW-AXFR-FROM" || kind == "TSIG-ALLOW-AXFR") return &kTransfer;
  if (kind == "ALLOW-DNSUPDATE-FROM" || kind == "TSIG-ALLOW-DNSUPDATE") return &kUpdate;
  return nullptr;
}

struct Parts {
  Values networks, keys;
};
Parts PartsOf(const zone::Acl& acl) {
  Parts parts;
  for (const zone::Acl::Rule& rule : acl.rules()) {
    if (rule.deny) continue;
    if (rule.network) AddOnce(ToText(*rule.network), parts.networks);
    if (!rule.network && rule.key == Key::kIgnored) {
      AddOnce(std::string(kEveryIpv4), parts.networks);
      AddOnce(std::string(kEveryIpv6), parts.networks);
    }
    if (rule.key == Key::kNamed) AddOnce(rule.name.ToText(), parts.keys);
    if (rule.key == Key::kAny) AddOnce(std::string(kEveryKey), parts.keys);
  }
  return parts;
}

std::string TextOf(const Parts& parts, bool both) {
  std::string text;
  const auto add = [&](const std::string& rule) { text += (text.empty() ? "" : ",") + rule; };
  if (both && !parts.networks.empty() && !parts.keys.empty()) {
    for (const std::string& network : parts.networks) {
      for (const std::string& key : parts.keys) add("net:" + network + "+key:" + key);
    }
    return text;
  }
  for (const std::string& network : parts.networks) add("net:" + network);
  for (const std::string& key : parts.keys) add("key:" + key);
  return text.empty() ? "key:*" : text;  // the default
}

// Whether metadata says all that the list does.
bool IsSaid(const zone::Acl& acl, const AccessList& list) {
  const auto text = zone::AclFromText(TextOf(PartsOf(acl), list.both));
  return (text.ok() && *text == acl) || acl.IsAny();
}

Change ChangeList(const zone::Settings& settings, const AccessList& list, std::string_view kind,
                  const Values& values) {
  if (!IsSaid(settings.*list.acl, list)) {
    const std::string setting(list.setting);
    return MetadataRefusal{
        true, "the zone's `" + setting + "` holds rules that metadata cannot say: PATCH " + "its settings"};
  }
  Parts parts = settings.*list.acl == zone::Settings().*list.acl ? Parts() : PartsOf(settings.*list.acl);
  (kind.starts_with("TSIG-") ? parts.keys : parts.networks) = values;
  return std::string(list.setting) + "=" + TextOf(parts, list.both);
}

// PowerDNS writes a port after a colon, IPv6 in brackets with one.
std::string RemoteText(std::string text) {
  if (text.starts_with('[')) {
    const size_t end = text.find(']');
    if (end == text.npos) return text;
    const std::string port = text.size() > end + 2 && text[end + 1] == ':' ? "@" + text.substr(end + 2) : "";
    return text.substr(1, end - 1) + port;
  }
  if (std::count(text.begin(), text.end(), ':') == 1) text[text.find(':')] = '@';
  return text;
}

std::string NotifyText(const zone::Remote& remote) {
  const std::string address = zone::ToText(remote.address);
  if (remote.port == 53) return address;
  const bool v4 = zone::IsIpv4(remote.address);
  return (v4 ? address : "[" + address + "]") + ":" + std::to_string(remote.port);
}

Change ChangeNotify(const zone::Settings& settings, const Values& values) {
  const bool said = std::all_of(settings.also_notify.begin(), settings.also_notify.end(),
                                [](const zone::Remote& remote) { return !remote.key && !remote.tls; });
  if (!said) {
    return MetadataRefusal{true,
                           "the zone's `also-notify` names keys or TLS, which metadata cannot say: "
                           "PATCH its settings"};
  }
  std::string text;
  for (const std::string& value : values) text += (text.empty() ? "" : ",") + RemoteText(value);
  return "also-notify=" + (text.empty() ? "none" : text);
}

struct Policy {
  std::string_view theirs, ours;
  zone::SerialPolicy policy;
};
constexpr Policy kPolicies[] = {{"INCREASE", "increment", zone::SerialPolicy::kIncrement},
                                {"EPOCH", "unixtime", zone::SerialPolicy::kUnixTime},
                                {"DEFAULT", "dateserial", zone::SerialPolicy::kDateSerial}};

Change ChangeSerial(const Values& values) {
  if (values.empty()) return std::string("serial=increment");
  for (const Policy& policy : kPolicies) {
    if (values.size() == 1 && values.front() == policy.theirs) return "serial=" + std::string(policy.ours);
  }
  return MetadataRefusal{false, "must be one of INCREASE, EPOCH and DEFAULT (a date)"};
}

}  // namespace

std::vector<std::string_view> MetadataKinds() { return {kKinds.begin(), kKinds.end()}; }
bool IsMetadataKind(std::string_view kind) {
  return std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

std::vector<std::string> GetMetadata(const zone::Settings& settings, std::string_view kind) {
  Values values;
  const zone::Settings defaults;
  if (const AccessList* list = ListOf(kind)) {
    if (settings.*list->acl == defaults.*list->acl) return {};
    const Parts parts = PartsOf(settings.*list->acl);
    return kind.starts_with("TSIG-") ? parts.keys : parts.networks;
  }
  if (kind == "ALSO-NOTIFY") {
    for (const zone::Remote& remote : settings.also_notify) values.push_back(NotifyText(remote));
  } else if (settings.serial != defaults.serial) {
    for (const Policy& policy : kPolicies) {
      if (policy.policy == settings.serial) values.emplace_back(policy.theirs);
    }
  }
  return values;
}

Result<std::string, MetadataRefusal> MetadataChange(const zone::Settings& settings, std::string_view kind,
                                                    const std::vector<std::string>& values) {
  for (const std::string& value : values) {
    if (value.empty() || value.find_first_of(",\n") != std::string::npos)
      return MetadataRefusal{false, "a value is empty, or has a comma or a line's end in it"};
  }
  auto change = ListOf(kind) != nullptr ? ChangeList(settings, *ListOf(kind), kind, values)
                : kind == "ALSO-NOTIFY" ? ChangeNotify(settings, values)
                                        : ChangeSerial(values);
  if (!change.ok()) return change;
  if (const auto valid = zone::WithChanges(settings, *change); !valid.ok())
    return MetadataRefusal{false, valid.error()};
  return change;
}

}  // namespace quorate::api

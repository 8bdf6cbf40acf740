#include "zone/acl.h"

#include <algorithm>

#include "base/limits.h"

namespace quorate::zone {
namespace {

constexpr std::string_view kAny = "any", kNone = "none", kKey = "key:", kNet = "net:";

bool Matches(const Acl::Rule& rule, const Peer& peer) {
  if (rule.network && !rule.network->Contains(peer.address)) return false;
  switch (rule.key) {
    case Acl::Key::kIgnored:
      return true;
    case Acl::Key::kAny:
      return !peer.key.empty();
    case Acl::Key::kNamed:
      return !peer.key.empty() && dns::SameName(peer.key, rule.name.wire());
  }
  return false;
}

std::string Wrong(std::string_view part, std::string_view why) {
  return "`" + std::string(part) + "`: " + std::string(why);
}

// Takes what is in front of `separator` off `text`.
std::string_view TakePart(std::string_view& text, char separator) {
  const std::string_view part = text.substr(0, text.find(separator));
  text.remove_prefix(std::min(text.size(), part.size() + 1));
  return part;
}

std::optional<std::string> AddCondition(std::string_view part, Acl::Rule& rule) {
  if (part == kAny) return std::nullopt;
  if (part.starts_with(kNet)) {
    if (rule.network) return Wrong(part, "a rule has one network");
    rule.network = NetworkFromText(part.substr(kNet.size()));
    if (rule.network) return std::nullopt;
    return Wrong(part, "not a network, as 192.0.2.0/24, 2001:db8::/32 or 192.0.2.1 are");
  }
  if (part.starts_with(kKey)) {
    if (rule.key != Acl::Key::kIgnored) return Wrong(part, "a rule has one key");
    const std::string_view key = part.substr(kKey.size());
    rule.key = key == "*" ? Acl::Key::kAny : Acl::Key::kNamed;
    if (key == "*") return std::nullopt;
    const auto name = dns::Name::FromText(key);
    if (!name.ok() || key.empty()) return Wrong(part, "not the name of a key");
    rule.name = name->Folded();
    return std::nullopt;
  }
  return Wrong(part, "a rule is any, net:NETWORK, key:NAME, key:* or net:NETWORK+key:NAME");
}

std::string RuleText(const Acl::Rule& rule) {
  std::string text = rule.deny ? "!" : "";
  if (rule.network) text += std::string(kNet) + ToText(*rule.network);
  if (rule.key != Acl::Key::kIgnored) {
    if (rule.network) text += "+";
    text += kKey;
    text += rule.key == Acl::Key::kAny ? "*" : rule.name.ToText();
  }
  if (!rule.network && rule.key == Acl::Key::kIgnored) text += kAny;
  return text;
}

}  // namespace

bool Acl::Allows(const Peer& peer) const {
  for (const Rule& rule : rules_) {
    if (Matches(rule, peer)) return !rule.deny;
  }
  return false;
}

Result<Acl, std::string> AclFromText(std::string_view text) {
  if (text == kNone) return Acl();
  if (text.empty()) return std::string("an empty list: `none` allows nobody, `any` everybody");
  std::vector<Acl::Rule> rules;
  while (!text.empty()) {
    std::string_view item = TakePart(text, ',');
    Acl::Rule rule{.deny = item.starts_with('!')};
    if (rule.deny) item.remove_prefix(1);
    if (item.empty()) return std::string("an empty rule between commas");
    while (!item.empty()) {
      if (auto wrong = AddCondition(TakePart(item, '+'), rule)) return *std::move(wrong);
    }
    rules.push_back(std::move(rule));
    if (rules.size() > limits::kAclRulesMax)
      return "more than " + std::to_string(limits::kAclRulesMax) + " rules";
  }
  return Acl(std::move(rules));
}

std::string ToText(const Acl& acl) {
  if (acl.rules().empty()) return std::string(kNone);
  std::string text;
  for (const Acl::Rule& rule : acl.rules()) text += (text.empty() ? "" : ",") + RuleText(rule);
  return text;
}

}  // namespace quorate::zone

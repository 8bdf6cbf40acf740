#include "zone/settings.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "base/limits.h"
#include "zone/store_keys.h"

namespace quorate::zone {
namespace {

using Why = std::optional<std::string>;  // what is wrong; nullopt: nothing

// One setting as text: `put` gives why a value will not do.
struct Field {
  std::string_view name;
  std::string (*get)(const Settings&);
  Why (*put)(Settings&, std::string_view);
  bool of_clients = true;
};

template <class E>
using Words = std::array<std::pair<E, std::string_view>, 3>;

template <class E>
std::string WordOf(E value, const Words<E>& words) {
  for (const auto& [known, word] : words) {
    if (known == value) return std::string(word);
  }
  return {};
}

template <class E>
Why PutWord(std::string_view text, const Words<E>& words, E& out) {
  std::string known;
  for (const auto& [value, word] : words) {
    if (word == text) {
      out = value;
      return std::nullopt;
    }
    known += (known.empty() ? "" : ", ") + std::string(word);
  }
  return "must be one of " + known;
}

constexpr Words<SerialPolicy> kSerialWords{{{SerialPolicy::kIncrement, "increment"},
                                            {SerialPolicy::kUnixTime, "unixtime"},
                                            {SerialPolicy::kDateSerial, "dateserial"}}};
constexpr Words<MinimalResponses> kMinimalWords{
    {{MinimalResponses::kNoAuth, "no-auth"}, {MinimalResponses::kYes, "yes"}, {MinimalResponses::kNo, "no"}}};
constexpr Words<CatalogRole> kCatalogWords{{{CatalogRole::kNone, "none"},
                                            {CatalogRole::kProduced, "produced"},
                                            {CatalogRole::kConsumed, "consumed"}}};
constexpr Words<SecondaryState> kStateWords{{{SecondaryState::kNotLoaded, "not-loaded"},
                                             {SecondaryState::kLoaded, "loaded"},
                                             {SecondaryState::kExpired, "expired"}}};

template <auto kMember, const auto& kWords>
constexpr Field WordField(std::string_view name, bool of_clients = true) {
  return {name, [](const Settings& s) { return WordOf(s.*kMember, kWords); },
          [](Settings& s, std::string_view text) { return PutWord(text, kWords, s.*kMember); }, of_clients};
}

template <Acl Settings::*kAcl>
constexpr Field AclField(std::string_view name) {
  return {name, [](const Settings& s) { return ToText(s.*kAcl); },
          [](Settings& s, std::string_view text) -> Why {
            auto acl = AclFromText(text);
            if (!acl.ok()) return acl.error();
            s.*kAcl = *std::move(acl);
            return std::nullopt;
          }};
}

template <std::vector<Remote> Settings::*kRemotes>
constexpr Field RemotesField(std::string_view name) {
  return {name, [](const Settings& s) { return ToText(s.*kRemotes); },
          [](Settings& s, std::string_view text) -> Why {
            auto remotes = RemotesFromText(text);
            if (!remotes.ok()) return remotes.error();
            s.*kRemotes = *std::move(remotes);
            return std::nullopt;
          }};
}

template <std::optional<dns::Name> Settings::*kName>
constexpr Field NameField(std::string_view name) {
  return {name, [](const Settings& s) { return s.*kName ? (s.*kName)->ToText() : "none"; },
          [](Settings& s, std::string_view text) -> Why {
            s.*kName = std::nullopt;
            if (text == "none") return std::nullopt;
            const auto given = dns::Name::FromText(text);
            if (!given.ok() || text.empty()) return "must be the name of a zone, or none";
            s.*kName = given->Folded();
            return std::nullopt;
          }};
}

template <class Number>
std::optional<Number> ParseNumber(std::string_view text) {
  Number value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

Why PutConsistency(Settings& s, std::string_view text) {
  const auto consistency = ParseConsistency(text);
  if (!consistency) return "must be `linearizable`, `bounded=5s` (whole seconds, a day at most) or `local`";
  s.consistency = *consistency;
  return std::nullopt;
}

Why PutDefaultTtl(Settings& s, std::string_view text) {
  const auto ttl = ParseNumber<uint32_t>(text);
  if (!ttl || *ttl > 0x7fffffff) return "must be seconds, below 2^31 (RFC 2181 8)";
  s.default_ttl = *ttl;
  return std::nullopt;
}

Why PutMemberLabel(Settings& s, std::string_view text) {
  if (text.size() > 63) return "must be a label";
  s.member_label = text;
  return std::nullopt;
}

template <auto kMember>
Why PutTime(Settings& s, std::string_view text) {
  const auto ns = ParseNumber<int64_t>(text);
  if (!ns || *ns < 0) return "must be nanoseconds";
  s.*kMember = Duration(*ns);
  return std::nullopt;
}

constexpr Field kFields[] = {
    {"consistency", [](const Settings& s) { return ToText(s.consistency); }, PutConsistency},
    AclField<&Settings::query>("query"),
    AclField<&Settings::update>("update"),
    AclField<&Settings::transfer>("transfer"),
    AclField<&Settings::notify>("notify"),
    RemotesField<&Settings::also_notify>("also-notify"),
    RemotesField<&Settings::primaries>("primaries"),
    WordField<&Settings::serial, kSerialWords>("serial"),
    WordField<&Settings::minimal, kMinimalWords>("minimal-responses"),
    {"default-ttl", [](const Settings& s) { return std::to_string(s.default_ttl); }, PutDefaultTtl},
    WordField<&Settings::catalog_role, kCatalogWords>("catalog-role"),
    NameField<&Settings::catalog>("catalog"),
    NameField<&Settings::from_catalog>("from-catalog"),
    {"member-label", [](const Settings& s) { return s.member_label; }, PutMemberLabel},
    WordField<&Settings::state, kStateWords>("state", false),
    {"checked-at", [](const Settings& s) { return std::to_string(s.checked_at.count()); },
     PutTime<&Settings::checked_at>, false},
    {"asked-at", [](const Settings& s) { return std::to_string(s.asked_at.count()); },
     PutTime<&Settings::asked_at>, false},
};

const Field* FindField(std::string_view name) {
  const auto it =
      std::find_if(std::begin(kFields), std::end(kFields), [&](const Field& f) { return f.name == name; });
  return it != std::end(kFields) ? it : nullptr;
}

Why PutLine(Settings& settings, std::string_view line, bool of_client) {
  const size_t equals = line.find('=');
  const std::string name(line.substr(0, equals));
  const Field* field = equals == line.npos ? nullptr : FindField(name);
  if (field == nullptr || (of_client && !field->of_clients)) return "there is no setting `" + name + "`";
  if (Why why = field->put(settings, line.substr(equals + 1))) return name + ": " + *why;
  return std::nullopt;
}

Why PutLines(Settings& settings, std::string_view text, bool of_client) {
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (Why why = PutLine(settings, line, of_client)) return why;
  }
  return std::nullopt;
}

Why CheckTogether(const Settings& s) {
  if (s.catalog_role == CatalogRole::kConsumed && !s.is_secondary())
    return "catalog-role: a consumed catalog is a secondary zone: it needs primaries";
  if (s.catalog_role == CatalogRole::kProduced && s.is_secondary())
    return "catalog-role: a produced catalog is made here: it has no primaries";
  return std::nullopt;
}

}  // namespace

std::string SettingsToText(const Settings& settings) {
  const Settings defaults;
  std::string text;
  for (const Field& field : kFields) {
    const std::string value = field.get(settings);
    if (!text.empty() && value == field.get(defaults)) continue;  // the first, consistency, is always there
    text += (text.empty() ? "" : "\n") + std::string(field.name) + "=" + value;
  }
  return text;
}

std::optional<Settings> SettingsFromText(std::string_view text) {
  Settings settings;
  if (PutLines(settings, text, false)) return std::nullopt;
  return settings;
}

Result<Settings, std::string> WithChanges(const Settings& now, std::string_view lines) {
  if (lines.size() > limits::kSettingsBytesMax)
    return "more than " + std::to_string(limits::kSettingsBytesMax) + " octets of settings";
  Settings next = now;
  if (Why why = PutLines(next, lines, true)) return *std::move(why);
  if (Why why = CheckTogether(next)) return *std::move(why);
  return next;
}

std::vector<std::pair<std::string, std::string>> AllSettings(const Settings& settings) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const Field& field : kFields) {
    if (field.of_clients) out.emplace_back(field.name, field.get(settings));
  }
  return out;
}

std::string SettingsKey(const dns::Name& apex) { return std::string(kSettingsKeyspace) + ZoneText(apex); }

std::optional<dns::Name> ParseSettingsKey(std::string_view key) {
  if (!key.starts_with(kSettingsKeyspace)) return std::nullopt;
  const auto apex = dns::Name::FromText(key.substr(kSettingsKeyspace.size()));
  if (!apex.ok() || SettingsKey(*apex) != key) return std::nullopt;
  return *apex;
}

}  // namespace quorate::zone

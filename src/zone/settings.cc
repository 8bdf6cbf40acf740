#include "zone/settings.h"

#include <algorithm>

#include "zone/store_keys.h"

namespace quorate::zone {
namespace {

constexpr std::string_view kConsistency = "consistency=";

}  // namespace

std::string SettingsToText(const Settings& settings) {
  return std::string(kConsistency) + ToText(settings.consistency);
}

std::optional<Settings> SettingsFromText(std::string_view text) {
  Settings settings;
  while (!text.empty()) {
    const std::string_view line = text.substr(0, text.find('\n'));
    text.remove_prefix(std::min(text.size(), line.size() + 1));
    if (!line.starts_with(kConsistency)) return std::nullopt;
    const auto consistency = ParseConsistency(line.substr(kConsistency.size()));
    if (!consistency) return std::nullopt;
    settings.consistency = *consistency;
  }
  return settings;
}

std::string SettingsKey(const dns::Name& apex) { return std::string(kSettingsKeyspace) + ZoneText(apex); }

std::optional<dns::Name> ParseSettingsKey(std::string_view key) {
  if (!key.starts_with(kSettingsKeyspace)) return std::nullopt;
  const auto apex = dns::Name::FromText(key.substr(kSettingsKeyspace.size()));
  if (!apex.ok() || SettingsKey(*apex) != key) return std::nullopt;
  return *apex;
}

}  // namespace quorate::zone

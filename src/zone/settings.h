// What is set for a zone beside its records, and how it lies in the store (docs/formats-zone.md).
//   /quorate/zones/example.org.    consistency=bounded=5s
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "base/consistency.h"
#include "dns/name.h"

namespace quorate::zone {

struct Settings {
  Consistency consistency;  // of answers, when the right to read cannot be had
  bool operator==(const Settings&) const = default;
};

// "consistency=bounded=5s": every setting, each as name=value, a line each. FromText takes what is left out
// for the default; nullopt: not settings of this version.
std::string SettingsToText(const Settings& settings);
std::optional<Settings> SettingsFromText(std::string_view text);

inline constexpr std::string_view kSettingsKeyspace = "/quorate/zones/";
// Whatever the case of the name: the same key.
std::string SettingsKey(const dns::Name& apex);
// In lower case; nullopt: not a key that SettingsKey makes.
std::optional<dns::Name> ParseSettingsKey(std::string_view key);

}  // namespace quorate::zone

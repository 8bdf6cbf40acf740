// What is set for a zone beside its records, and how it lies in the store (docs/formats-zone.md).
//   /quorate/zones/example.org.    consistency=bounded=5s
//                                  transfer=key:xfr.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/consistency.h"
#include "base/result.h"
#include "dns/name.h"
#include "zone/acl.h"
#include "zone/remote.h"
#include "zone/serial.h"

namespace quorate::zone {

// How much more than the answer an answer has.
enum class MinimalResponses : uint8_t {
  kNoAuth,  // no NS of the apex beside a positive answer; addresses of what the answer names, where they fit
  kYes,     // nothing that is not needed
  kNo,      // both
};

// RFC 9432.
enum class CatalogRole : uint8_t {
  kNone,
  kProduced,  // its content is made of the zones whose `catalog` it is
  kConsumed,  // a secondary whose members are made secondaries here
};

// Of a zone that has primaries.
enum class SecondaryState : uint8_t {
  kNotLoaded,  // nothing was ever transferred: what stands in the zone is a placeholder
  kLoaded,
  kExpired,  // for longer than the SOA's EXPIRE no primary answered (RFC 1035 3.3.13)
};

struct Settings {
  Consistency consistency;  // of answers, when the right to read cannot be had
  Acl query = Acl::Any();
  Acl update = Acl::AnyKey();
  Acl transfer = Acl::AnyKey();
  Acl notify;                       // beside the primaries, who may say that the zone changed
  std::vector<Remote> also_notify;  // who is told of changes (RFC 1996)
  std::vector<Remote> primaries;    // not empty: the zone is a secondary
  SerialPolicy serial = SerialPolicy::kIncrement;
  MinimalResponses minimal = MinimalResponses::kNoAuth;
  uint32_t default_ttl = 3600;  // seconds; of records that are given without one
  CatalogRole catalog_role = CatalogRole::kNone;
  std::optional<dns::Name> catalog;       // the produced catalog that names this zone
  std::optional<dns::Name> from_catalog;  // the consumed catalog that this zone came by; goes with it
  std::string member_label;               // its label there

  // Not a client's to set.
  SecondaryState state = SecondaryState::kNotLoaded;
  Duration checked_at{0};  // group time at which a primary last said that this is its newest version
  Duration asked_at{0};    // group time at which somebody last wanted that a primary is asked

  bool is_secondary() const { return !primaries.empty(); }
  // Whether there is something to answer from.
  bool is_servable() const { return primaries.empty() || state == SecondaryState::kLoaded; }
  bool operator==(const Settings&) const = default;
};

// A line each, name=value; what has its default has none, but for `consistency`. FromText: nullopt: not
// settings of this version.
std::string SettingsToText(const Settings& settings);
std::optional<Settings> SettingsFromText(std::string_view text);

// `now` with what the lines say, as clients write them; the rest stays. The error says which line is wrong
// and why, or what does not go together.
Result<Settings, std::string> WithChanges(const Settings& now, std::string_view lines);
// Every setting that clients may set, with its value, in a fixed order: for people.
std::vector<std::pair<std::string, std::string>> AllSettings(const Settings& settings);

inline constexpr std::string_view kSettingsKeyspace = "/quorate/zones/";
// Whatever the case of the name: the same key.
std::string SettingsKey(const dns::Name& apex);
// In lower case; nullopt: not a key that SettingsKey makes.
std::optional<dns::Name> ParseSettingsKey(std::string_view key);

}  // namespace quorate::zone

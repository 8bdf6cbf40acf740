#include "api/xfr/changed_zones.h"

#include <optional>
#include <utility>

#include "base/limits.h"
#include "zone/settings.h"
#include "zone/store_keys.h"

namespace quorate::api::xfr {
namespace {

std::optional<dns::Name> ZoneOf(const std::string& key) {
  if (key.starts_with(zone::kSettingsKeyspace)) return zone::ParseSettingsKey(key);
  if (!key.starts_with(zone::kDnsKeyspace) || !key.ends_with(" SOA")) return std::nullopt;
  const auto parts = zone::ParseRecordKey(key);
  return parts ? std::optional(parts->zone) : std::nullopt;
}

}  // namespace

void ChangedZones::Note(const std::vector<kv::Event>& events) {
  std::set<dns::Name> zones;
  for (const kv::Event& event : events) {
    if (auto zone = ZoneOf(event.kv.key)) zones.insert(*std::move(zone));
  }
  if (zones.empty()) return;
  {
    std::lock_guard lock(mu_);
    if (!changes_.all) changes_.zones.merge(zones);
    if (changes_.zones.size() > limits::kChangedZonesMax) changes_ = {.all = true, .zones = {}};
  }
  ready_.notify_one();
}

void ChangedZones::NoteAll() {
  {
    std::lock_guard lock(mu_);
    changes_ = {.all = true, .zones = {}};
  }
  ready_.notify_one();
}

void ChangedZones::Wake() {
  {
    std::lock_guard lock(mu_);
    woken_ = true;
  }
  ready_.notify_one();
}

ChangedZones::Changes ChangedZones::Take(Duration timeout) {
  std::unique_lock lock(mu_);
  ready_.wait_for(lock, timeout, [this] { return woken_ || !changes_.empty(); });
  woken_ = false;
  return std::exchange(changes_, {});
}

}  // namespace quorate::api::xfr

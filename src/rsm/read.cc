#include "rsm/read.h"

#include "kv/cursor.h"
#include "kv/store.h"
#include "zone/store_keys.h"

namespace quorate::rsm {
namespace {

std::optional<StoredRRset> Decode(const kv::KeyValue& kv, dns::RRType type) {
  std::optional<dns::RRset> rrset = zone::DecodeRRset(type, kv.value);
  if (!rrset) return std::nullopt;
  return StoredRRset{std::move(*rrset), kv.create_revision, kv.mod_revision};
}

}  // namespace

Revision CurrentRevision(const kv::MapReader& map) { return kv::ReadMeta(map).current; }

std::optional<StoredRRset> GetRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                                    const dns::Name& owner, dns::RRType type) {
  const auto range = kv::Range(map, {.range = {zone::RecordKey(zone, owner, type), ""}, .revision = at});
  if (!range.ok() || range->kvs.empty()) return std::nullopt;
  return Decode(range->kvs.front(), type);
}

void ForEachRRset(const kv::MapReader& map, Revision at, const dns::Name& zone,
                  const std::function<bool(const StoredRRset&)>& visit) {
  const auto [begin, end] = zone::ZoneRange(zone);
  const std::unique_ptr<kv::MapIterator> iterator = map.NewIterator();
  if (at.value == 0) at = kv::ReadMeta(*iterator).current;
  for (kv::LiveCursor cursor(*iterator, {begin, end}, at); cursor.Valid(); cursor.Next()) {
    const kv::KeyValue kv = cursor.Load();
    const auto key = zone::ParseRecordKey(kv.key);
    const std::optional<StoredRRset> stored = key ? Decode(kv, key->type) : std::nullopt;
    if (stored && !visit(*stored)) return;
  }
}

zone::Settings GetZoneSettings(const kv::MapReader& map, Revision at, const dns::Name& zone) {
  const auto range = kv::Range(map, {.range = {zone::SettingsKey(zone), ""}, .revision = at});
  if (!range.ok() || range->kvs.empty()) return {};
  return zone::SettingsFromText(range->kvs.front().value).value_or(zone::Settings());
}

Revision ZoneRevision(const kv::MapReader& map, const dns::Name& zone) {
  const std::optional<kv::KeyValue> soa = kv::Get(map, zone::RecordKey(zone, zone, dns::RRType::kSOA));
  return soa ? soa->mod_revision : Revision{0};
}

}  // namespace quorate::rsm

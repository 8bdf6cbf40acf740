#include "rsm/zones.h"

#include "base/check.h"
#include "kv/cursor.h"
#include "zone/builder.h"
#include "zone/store_keys.h"

namespace quorate::rsm {
namespace {

// Zones come one after the other: the keys of one are a range of their own.
class Rebuilder {
 public:
  void Add(const kv::KeyValue& kv) {
    const auto key = zone::ParseRecordKey(kv.key);
    std::optional<dns::RRset> rrset = key ? zone::DecodeRRset(key->type, kv.value) : std::nullopt;
    if (!key || !rrset) FailStop("the state holds a record that does not decode: " + kv.key);
    if (!builder_ || !(apex_ == key->zone)) {
      FinishZone();
      apex_ = key->zone;
      builder_.emplace(apex_);
    }
    builder_->Add(*rrset);
  }

  void FinishZone() {
    if (!builder_) return;
    auto built = std::move(*builder_).Build();
    if (auto* refusal = std::get_if<zone::Refusal>(&built)) {
      FailStop("the state holds a bad zone: " + refusal->reason);
    }
    zones_.Put(std::get<zone::ZonePtr>(std::move(built)));
    builder_.reset();
  }

  // After all records.
  void AddSettings(const kv::KeyValue& kv) {
    FinishZone();
    const auto apex = zone::ParseSettingsKey(kv.key);
    const auto settings = zone::SettingsFromText(kv.value);
    if (!apex || !settings || !zones_.Get(apex->wire()))
      FailStop("the state holds settings that do not decode, or of no zone: " + kv.key);
    zones_ = zones_.WithSettings(apex->wire(), *settings);
  }

  std::shared_ptr<const zone::ZoneSet> Take() {
    FinishZone();
    return std::make_shared<const zone::ZoneSet>(std::move(zones_));
  }

 private:
  dns::Name apex_;
  std::optional<zone::ZoneBuilder> builder_;
  zone::ZoneSet zones_;
};

}  // namespace

std::shared_ptr<const zone::ZoneSet> RebuildZones(const kv::MapReader& map) {
  Rebuilder rebuilder;
  const std::unique_ptr<kv::MapIterator> iterator = map.NewIterator();
  const Revision current = kv::ReadMeta(*iterator).current;
  kv::LiveCursor cursor(*iterator, kv::PrefixRange(zone::kDnsKeyspace), current);
  for (; cursor.Valid(); cursor.Next()) rebuilder.Add(cursor.Load());
  kv::LiveCursor settings(*iterator, kv::PrefixRange(zone::kSettingsKeyspace), current);
  for (; settings.Valid(); settings.Next()) rebuilder.AddSettings(settings.Load());
  return rebuilder.Take();
}

void PutSettings(const dns::Name& apex, const zone::Settings& settings, kv::Transaction& txn) {
  const std::string key = zone::SettingsKey(apex);
  if (settings == zone::Settings()) {
    txn.Delete(key);
  } else {
    txn.Put(key, zone::SettingsToText(settings));
  }
}

void TouchSoa(const dns::Name& apex, kv::Transaction& txn) {
  const std::string key = zone::RecordKey(apex, apex, dns::RRType::kSOA);
  const std::optional<kv::KeyValue> soa = txn.Get(key);
  CHECK(soa.has_value());
  txn.Put(key, soa->value);
}

}  // namespace quorate::rsm

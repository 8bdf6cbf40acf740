#include "rsm/updates.h"

namespace quorate::rsm::updates {
namespace {

std::string MapKey(std::string_view identity) { return "u" + std::string(identity); }

std::string ExpiryKey(Duration until, std::string_view identity) {
  std::string out = "v";
  const auto ns = static_cast<uint64_t>(until.count());
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(ns >> shift));
  out.append(identity);
  return out;
}

constexpr size_t kExpiryPrefix = 9;

Duration TimeOf(std::string_view expiry_key) {
  uint64_t ns = 0;
  for (size_t i = 1; i < kExpiryPrefix; ++i) ns = ns << 8 | static_cast<uint8_t>(expiry_key[i]);
  return Duration(static_cast<int64_t>(ns));
}

}  // namespace

once::Known Find(const once::Table& table, std::string_view identity) {
  // Its identity is a digest of all of it: there is no other request to tell it from.
  if (const auto kept = table.map.Get(MapKey(identity))) return once::Compare(*kept, 0);
  if (table.counts.keys >= table.bounds.keys || table.counts.bytes >= table.bounds.bytes)
    return once::Refusal{Refused::kTableFull, "too many outcomes are kept just now"};
  return once::MayRun{};
}

void Keep(once::Table& table, std::string_view identity, Duration remembered, std::string_view outcome) {
  table.batch.push_back({MapKey(identity), once::EncodeKept({0, outcome})});
  table.batch.push_back({ExpiryKey(table.now + remembered, identity), std::string()});
  ++table.counts.keys;
  table.counts.bytes += outcome.size();
}

void Expire(once::Table& table) {
  const std::unique_ptr<kv::MapIterator> it = table.map.NewIterator();
  uint64_t dropped = 0;
  for (it->Seek("v"); it->Valid() && it->key().starts_with('v'); it->Next()) {
    if (TimeOf(it->key()) >= table.now || dropped++ == once::kExpirePerCommand) break;
    const std::string key = MapKey(it->key().substr(kExpiryPrefix));
    table.counts.bytes -= once::OutcomeBytes(table.map.Get(key).value_or(std::string()));
    table.batch.push_back({key, std::nullopt});
    table.batch.push_back({std::string(it->key()), std::nullopt});
    --table.counts.keys;
  }
}

}  // namespace quorate::rsm::updates

#include "rsm/idempotency_keys.h"

#include <charconv>

#include "base/bytes.h"
#include "rsm/command.h"

namespace quorate::rsm::keys {
namespace {

constexpr std::string_view kDated = "gt-";

std::string MapKey(std::string_view key) { return "s" + std::string(key); }

std::string ExpiryKey(Duration group_time, std::string_view key) {
  std::string out = "t";
  const auto ns = static_cast<uint64_t>(group_time.count());
  for (int shift = 56; shift >= 0; shift -= 8) out.push_back(static_cast<char>(ns >> shift));
  out.append(key);
  return out;
}

constexpr size_t kExpiryPrefix = 9;

Duration TimeOf(std::string_view expiry_key) {
  uint64_t ns = 0;
  for (size_t i = 1; i < kExpiryPrefix; ++i) ns = ns << 8 | static_cast<uint8_t>(expiry_key[i]);
  return Duration(static_cast<int64_t>(ns));
}

}  // namespace

std::optional<Duration> DateOf(std::string_view key) {
  if (!key.starts_with(kDated)) return std::nullopt;
  key.remove_prefix(kDated.size());
  uint64_t ms = 0;
  const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), ms);
  constexpr uint64_t kMsMax = uint64_t{1} << 42;  // 139 years: its nanoseconds still fit
  if (error != std::errc() || ms > kMsMax || end == key.data() + key.size() || *end != '-')
    return std::nullopt;
  return std::chrono::milliseconds(ms);
}

std::string DatedKey(Duration group_time, std::string_view random) {
  const auto ms = std::chrono::duration_cast<std::chrono::milliseconds>(group_time).count();
  return std::string(kDated) + std::to_string(ms) + "-" + std::string(random);
}

once::Known Find(const once::Table& table, std::string_view key, uint64_t digest) {
  if (const std::optional<std::string> kept = table.map.Get(MapKey(key))) return once::Compare(*kept, digest);
  if (const std::optional<Duration> date = DateOf(key)) {
    if (*date + kKeyLifetime < table.now)
      return once::Refusal{Refused::kUnknown,
                           "the key is older than outcomes are kept: whether the request was applied cannot "
                           "be told"};
    if (*date > table.now + kDateAheadMax)
      return once::Refusal{Refused::kUnknown, "the key's date is ahead of the group's time"};
  }
  if (table.counts.keys >= table.bounds.keys || table.counts.bytes >= table.bounds.bytes)
    return once::Refusal{Refused::kTableFull,
                         "too many idempotency keys are kept just now; a session needs none"};
  return once::MayRun{};
}

void Keep(once::Table& table, std::string_view key, const once::Kept& kept) {
  table.batch.push_back({MapKey(key), once::EncodeKept(kept)});
  table.batch.push_back({ExpiryKey(table.now, key), std::string()});
  ++table.counts.keys;
  table.counts.bytes += kept.outcome.size();
}

void Expire(once::Table& table) {
  if (table.counts.keys == 0) return;
  // A key that was dated ahead must be kept until its own date is too old.
  const Duration kept_for = kKeyLifetime + kDateAheadMax;
  const std::unique_ptr<kv::MapIterator> it = table.map.NewIterator();
  uint64_t dropped = 0;
  for (it->Seek("t"); it->Valid() && it->key().starts_with('t'); it->Next()) {
    if (TimeOf(it->key()) + kept_for >= table.now || dropped == once::kExpirePerCommand) break;
    const std::string key = MapKey(it->key().substr(kExpiryPrefix));
    table.counts.bytes -= once::OutcomeBytes(table.map.Get(key).value_or(std::string()));
    table.batch.push_back({key, std::nullopt});
    table.batch.push_back({std::string(it->key()), std::nullopt});
    --table.counts.keys;
    ++dropped;
  }
}

uint64_t BytesKept(const kv::MapReader& map) {
  uint64_t bytes = 0;
  const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
  for (it->Seek("s"); it->Valid() && it->key().starts_with('s'); it->Next())
    bytes += once::OutcomeBytes(it->value());
  return bytes;
}

}  // namespace quorate::rsm::keys

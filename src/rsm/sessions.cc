#include "rsm/sessions.h"

#include "base/bytes.h"

namespace quorate::rsm::sessions {
namespace {

std::string SessionKey(std::string_view key) { return "s" + std::string(key); }

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

std::optional<Kept> Find(const kv::MapReader& map, std::string_view key) {
  const std::optional<std::string> value = map.Get(SessionKey(key));
  if (!value) return std::nullopt;
  ByteReader in(*value);
  Kept kept;
  kept.digest = in.U64();
  kept.outcome = in.Raw(in.remaining());
  return kept;
}

void Keep(std::string_view key, const Kept& kept, Duration group_time, kv::MapBatch& batch) {
  ByteWriter value;
  value.U64(kept.digest);
  value.Raw(kept.outcome);
  batch.push_back({SessionKey(key), value.Take()});
  batch.push_back({ExpiryKey(group_time, key), std::string()});
}

uint64_t Expire(const kv::MapReader& map, Duration now, uint64_t count, const Bounds& bounds, uint64_t most,
                kv::MapBatch& batch) {
  if (count == 0) return 0;
  uint64_t dropped = 0;
  const std::unique_ptr<kv::MapIterator> it = map.NewIterator();
  for (it->Seek("t"); dropped < most && it->Valid() && it->key().starts_with('t'); it->Next(), ++dropped) {
    const bool too_old = TimeOf(it->key()) + bounds.lifetime < now;
    const bool too_many = count - dropped > bounds.capacity;
    if (!too_old && !too_many) break;
    batch.push_back({SessionKey(it->key().substr(kExpiryPrefix)), std::nullopt});
    batch.push_back({std::string(it->key()), std::nullopt});
  }
  return dropped;
}

}  // namespace quorate::rsm::sessions

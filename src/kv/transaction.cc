#include <algorithm>

#include "base/check.h"
#include "kv/cursor.h"
#include "kv/store.h"

namespace quorate::kv {

Transaction::Transaction(const MapReader& map) : iterator_(map.NewIterator()), meta_(ReadMeta(*iterator_)) {}
Transaction::Transaction(Transaction&&) noexcept = default;
Transaction::~Transaction() = default;

Revision Transaction::revision() const { return effective_ > 0 ? meta_.current + 1 : meta_.current; }

std::optional<KeyValue> Transaction::Get(std::string_view key) const {
  if (const auto it = pending_.find(key); it != pending_.end()) return it->second.now;
  return LoadKey(*iterator_, key, meta_.current);
}

// Merges what is stored with what is pending. `at` 0: the newest, with the transaction's own writes.
void Transaction::Scan(const KeyRange& range, Revision at, const std::function<bool()>& see,
                       const std::function<void(KeyValue)>& add) const {
  auto own = at ? pending_.end() : pending_.lower_bound(range.key);
  LiveCursor stored(*iterator_, range, at ? at : meta_.current);
  for (;;) {
    const bool have_own = own != pending_.end() && range.Contains(own->first);
    if (!have_own && !stored.Valid()) return;
    int order = -1;  // of the stored key against the own one
    if (!stored.Valid()) {
      order = 1;
    } else if (have_own) {
      order = stored.prefix().compare(RecordPrefix(own->first));
    }
    if (order < 0) {
      if (see()) add(stored.Load());
    } else {
      if (own->second.now && see()) add(*own->second.now);
      ++own;
    }
    if (order <= 0) stored.Next();
  }
}

Result<RangeResponse, Error> Transaction::Range(const RangeRequest& request) const {
  if (const auto error = CheckRange(request, meta_)) return *error;
  RangeCollector collector(request);
  Scan(
      request.range, request.revision, [&] { return collector.See(); },
      [&](KeyValue kv) { collector.Add(std::move(kv)); });
  return collector.Finish(revision());
}

std::optional<KeyValue> Transaction::Set(std::string_view key, Pending& pending,
                                         std::optional<KeyValue> now) {
  CHECK(!key.empty());
  const auto effective = [](const Pending& p) { return p.before || p.now ? 1 : 0; };
  effective_ -= pending.touched ? effective(pending) : 0;
  pending.touched = true;
  std::swap(pending.now, now);
  effective_ += effective(pending);
  return now;
}

Transaction::Pending& Transaction::Touch(std::string_view key) {
  if (const auto it = pending_.find(key); it != pending_.end()) return it->second;
  std::optional<KeyValue> before = LoadKey(*iterator_, key, meta_.current);
  const auto it = pending_.emplace(std::string(key), Pending{before, before}).first;
  order_.push_back(&it->first);
  return it->second;
}

std::optional<KeyValue> Transaction::Put(std::string_view key, std::string value, int64_t lease) {
  Pending& pending = Touch(key);
  const Revision next = meta_.current + 1;
  KeyValue kv{.key = std::string(key),
              .value = std::move(value),
              .create_revision = pending.before ? pending.before->create_revision : next,
              .mod_revision = next,
              .version = pending.before ? pending.before->version + 1 : 1,
              .lease = lease};
  return Set(key, pending, std::move(kv));
}

std::optional<KeyValue> Transaction::Delete(std::string_view key) {
  const auto it = pending_.find(key);
  if (it != pending_.end() ? !it->second.now : !LoadKey(*iterator_, key, meta_.current)) return std::nullopt;
  return Set(key, Touch(key), std::nullopt);
}

std::vector<KeyValue> Transaction::DeleteRange(const KeyRange& range) {
  std::vector<KeyValue> gone;
  Scan(
      range, Revision{0}, [] { return true; }, [&](KeyValue kv) { gone.push_back(std::move(kv)); });
  for (const KeyValue& kv : gone) {
    const auto [it, fresh] = pending_.try_emplace(kv.key, Pending{kv, kv});
    if (fresh) order_.push_back(&it->first);
    Set(kv.key, it->second, std::nullopt);
  }
  return gone;
}

Committed Transaction::Commit() {
  Committed out{{}, {}, revision()};
  uint32_t sub = 0;
  for (const std::string* key : order_) {
    Pending& pending = pending_.find(*key)->second;
    if (!pending.touched || (!pending.before && !pending.now)) continue;
    Record record{.tombstone = !pending.now};
    Event event{.type = pending.now ? Event::Type::kPut : Event::Type::kDelete};
    if (pending.now) {
      event.kv = *std::move(pending.now);
      record.create_revision = event.kv.create_revision;
      record.version = event.kv.version;
      record.lease = event.kv.lease;
      record.value = event.kv.value;
    } else {
      event.kv.key = *key;
      event.kv.mod_revision = out.revision;
    }
    event.prev = std::move(pending.before);
    out.batch.push_back({RecordKey(*key, out.revision), EncodeRecord(record)});
    out.batch.push_back({IndexKey({out.revision, sub++}), *key});
    out.events.push_back(std::move(event));
  }
  if (sub > 0) out.batch.push_back({std::string(kCurrentKey), EncodeRevision(out.revision)});
  pending_.clear();
  order_.clear();
  effective_ = 0;
  return out;
}

}  // namespace quorate::kv

#include "kv/store.h"

#include "kv/cursor.h"

namespace quorate::kv {

Meta ReadMeta(const MapReader& map) { return ReadMeta(*map.NewIterator()); }

Result<RangeResponse, Error> Range(const MapReader& map, const RangeRequest& request) {
  const std::unique_ptr<MapIterator> iterator = map.NewIterator();
  const Meta meta = ReadMeta(*iterator);
  if (const auto error = CheckRange(request, meta)) return *error;
  RangeCollector collector(request);
  for (LiveCursor cursor(*iterator, request.range, request.revision ? request.revision : meta.current);
       cursor.Valid(); cursor.Next()) {
    if (collector.See()) collector.Add(cursor.Load());
  }
  return collector.Finish(meta.current);
}

std::optional<KeyValue> Get(const MapReader& map, std::string_view key) {
  return LoadKey(*map.NewIterator(), key, Revision{UINT64_MAX});
}

Result<History, HistoryCompacted> ReadHistory(const MapReader& map, const HistoryRequest& request) {
  const std::unique_ptr<MapIterator> iterator = map.NewIterator();
  const Meta meta = ReadMeta(*iterator);
  if (request.from < meta.compacted) return HistoryCompacted{meta.compacted};
  const Revision to = request.to && request.to < meta.current ? request.to : meta.current;

  struct Change {
    Revision revision;
    std::string key;
  };
  std::vector<Change> changes;
  History history{{}, std::max(request.from, to + 1), meta.current};
  size_t scanned = 0;
  Revision last = request.from;
  for (iterator->Seek(IndexKey({request.from, 0})); iterator->Valid(); iterator->Next()) {
    const std::optional<IndexPlace> place = ParseIndexKey(iterator->key());
    if (!place || place->revision > to) break;
    const bool full = changes.size() >= request.max_events || scanned >= request.max_scanned;
    if (full && scanned > 0 && place->revision != last) {
      history.next = place->revision;
      break;
    }
    last = place->revision;
    ++scanned;
    if (request.range.Contains(iterator->value())) {
      changes.push_back({place->revision, std::string(iterator->value())});
    }
  }
  // The same iterator again: another one could see a later compaction.
  size_t bytes = 0;
  for (Change& change : changes) {
    if (bytes >= request.max_bytes && change.revision != history.events.back().kv.mod_revision) {
      history.next = change.revision;
      break;
    }
    const std::string prefix = RecordPrefix(change.key);
    iterator->Seek(RecordKeyFromPrefix(prefix, change.revision));
    const auto place = iterator->Valid() ? ParseRecordKey(iterator->key()) : std::nullopt;
    if (!place || place->prefix != prefix || place->revision != change.revision) {
      FailStop("the store's index names a version that is not there");
    }
    const Record record = DecodeRecord(iterator->value());
    Event event{.type = record.tombstone ? Event::Type::kDelete : Event::Type::kPut};
    event.kv.mod_revision = change.revision;
    if (!record.tombstone) {
      event.kv.value = record.value;
      event.kv.create_revision = record.create_revision;
      event.kv.version = record.version;
      event.kv.lease = record.lease;
    }
    if (request.prev_kv) event.prev = LoadKey(*iterator, change.key, change.revision - 1);
    event.kv.key = std::move(change.key);
    bytes += event.kv.key.size() + event.kv.value.size() + (event.prev ? event.prev->value.size() : 0);
    history.events.push_back(std::move(event));
  }
  return history;
}

}  // namespace quorate::kv

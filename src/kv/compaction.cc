#include "base/bytes.h"
#include "base/check.h"
#include "kv/cursor.h"
#include "kv/store.h"

namespace quorate::kv {
namespace {

// How far the deleting has come. A pass deletes what compaction at `target` made unreachable; `done` is the
// target of the last finished pass. A pass keeps its target even if the store is compacted further meanwhile:
// the next pass starts at `done`, whose index entries are still there.
struct Purge {
  Revision done, target;
  IndexPlace next;  // of the pass under way, if target > done
};

std::string EncodePurge(const Purge& purge) {
  ByteWriter out;
  out.Varint(purge.done.value);
  out.Varint(purge.target.value);
  out.Varint(purge.next.revision.value);
  out.Varint(purge.next.sub);
  return out.Take();
}

Purge DecodePurge(std::string_view bytes) {
  ByteReader in(bytes);
  Purge purge;
  purge.done = {in.Varint()};
  purge.target = {in.Varint()};
  purge.next.revision = {in.Varint()};
  purge.next.sub = static_cast<uint32_t>(in.Varint());
  if (!in.AtEnd()) FailStop("the store holds a purge mark that is none");
  return purge;
}

Purge ReadPurge(MapIterator& iterator) {
  iterator.Seek(kPurgeKey);
  return iterator.Valid() && iterator.key() == kPurgeKey ? DecodePurge(iterator.value()) : Purge{};
}

// What the change at `place` made unreachable at `target` and later: the version before it, and itself if it
// is a delete. Changes are met in order, so a tombstone goes only when nothing that it hides is left.
void PurgeBehind(MapIterator& iterator, std::string_view key, IndexPlace place, Revision target,
                 MapBatch& batch) {
  const std::string prefix = RecordPrefix(key);
  iterator.Seek(RecordKeyFromPrefix(prefix, place.revision));
  const auto itself = iterator.Valid() ? ParseRecordKey(iterator.key()) : std::nullopt;
  if (!itself || itself->prefix != prefix || itself->revision != place.revision) {
    FailStop("the store's index names a version that is not there");
  }
  // The changes of the compacted revision itself can still be watched.
  if (place.revision < target) {
    if (DecodeRecord(iterator.value()).tombstone)
      batch.push_back({std::string(iterator.key()), std::nullopt});
    batch.push_back({IndexKey(place), std::nullopt});
  }
  iterator.Next();
  if (iterator.Valid() && iterator.key().starts_with(prefix)) {
    batch.push_back({std::string(iterator.key()), std::nullopt});
  }
}

}  // namespace

Result<MapBatch, Error> Compact(const MapReader& map, Revision at) {
  const Meta meta = ReadMeta(map);
  if (at <= meta.compacted) return Error::kCompacted;
  if (at > meta.current) return Error::kFutureRevision;
  return MapBatch{{std::string(kCompactedKey), EncodeRevision(at)}};
}

MapBatch StepCompaction(const MapReader& map, size_t max_writes) {
  CHECK_GT(max_writes, 0u);
  const std::unique_ptr<MapIterator> iterator = map.NewIterator();
  Purge purge = ReadPurge(*iterator);
  if (purge.target == purge.done) {
    const Meta meta = ReadMeta(*iterator);
    if (meta.compacted == purge.done) return {};
    purge.target = meta.compacted;
    purge.next = {purge.done, 0};
  }

  MapBatch batch;
  const std::unique_ptr<MapIterator> versions = map.NewIterator();
  size_t looked_at = 0;
  for (iterator->Seek(IndexKey(purge.next)); batch.size() < max_writes && looked_at < max_writes;
       iterator->Next()) {
    const auto place = iterator->Valid() ? ParseIndexKey(iterator->key()) : std::nullopt;
    if (!place || place->revision > purge.target) {
      purge.done = purge.target;
      break;
    }
    PurgeBehind(*versions, iterator->value(), *place, purge.target, batch);
    purge.next = {place->revision, place->sub + 1};
    ++looked_at;
  }
  batch.push_back({std::string(kPurgeKey), EncodePurge(purge)});
  return batch;
}

}  // namespace quorate::kv

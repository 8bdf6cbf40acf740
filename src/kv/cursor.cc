#include "kv/cursor.h"

#include <algorithm>

namespace quorate::kv {
namespace {

// Stepping over a few old versions is cheaper than a seek; over many it is not.
constexpr int kStepsBeforeSeek = 8;

}  // namespace

Meta ReadMeta(MapIterator& iterator) {
  Meta meta;
  for (iterator.Seek(kMetaPrefix); iterator.Valid() && iterator.key().starts_with(kMetaPrefix);
       iterator.Next()) {
    if (iterator.key() == kCurrentKey) meta.current = DecodeRevision(iterator.value());
    if (iterator.key() == kCompactedKey) meta.compacted = DecodeRevision(iterator.value());
  }
  return meta;
}

LiveCursor::LiveCursor(MapIterator& iterator, const KeyRange& range, Revision at)
    : iterator_(iterator), bounds_(BoundsOf(range)), at_(at) {
  // A single key's version is found with one seek.
  iterator_.Seek(range.Single() ? RecordKeyFromPrefix(bounds_.from, at) : bounds_.from);
  Settle();
}

void LiveCursor::Next() {
  SkipKey();
  Settle();
}

void LiveCursor::Settle() {
  valid_ = false;
  while (iterator_.Valid() && iterator_.key() < bounds_.to) {
    const std::optional<RecordPlace> place = ParseRecordKey(iterator_.key());
    if (!place) FailStop("the store holds a record's key that is none");
    prefix_.assign(place->prefix);
    revision_ = place->revision;
    if (revision_ > at_) {
      iterator_.Seek(RecordKeyFromPrefix(prefix_, at_));
      continue;
    }
    if (!DecodeRecord(iterator_.value()).tombstone) {
      valid_ = true;
      return;
    }
    SkipKey();
  }
}

void LiveCursor::SkipKey() {
  for (int steps = 0; iterator_.Valid(); ++steps) {
    // Another key's prefix cannot begin with this one's: the terminator sees to that.
    if (!iterator_.key().starts_with(prefix_)) return;
    if (steps == kStepsBeforeSeek) return iterator_.Seek(AfterPrefix(prefix_));
    iterator_.Next();
  }
}

KeyValue LiveCursor::Load() const {
  CHECK(valid_);
  const Record record = DecodeRecord(iterator_.value());
  return {.key = KeyOfPrefix(prefix_),
          .value = std::string(record.value),
          .create_revision = record.create_revision,
          .mod_revision = revision_,
          .version = record.version,
          .lease = record.lease};
}

std::optional<KeyValue> LoadKey(MapIterator& iterator, std::string_view key, Revision at) {
  const LiveCursor cursor(iterator, {std::string(key), ""}, at);
  if (!cursor.Valid()) return std::nullopt;
  return cursor.Load();
}

RangeCollector::RangeCollector(const RangeRequest& request) : request_(request) {
  const bool filtered = request.min_mod_revision || request.max_mod_revision || request.min_create_revision ||
                        request.max_create_revision;
  // etcd cuts before it sorts only where nobody asked for an order.
  if (request.count_only) {
    fetch_max_ = 0;
  } else if (request.limit > 0 && request.limit < UINT64_MAX && !filtered &&
             request.sort_order == SortOrder::kNone) {
    fetch_max_ = request.limit + 1;  // one more, to know whether there are more
  }
}

bool RangeCollector::See() { return ++response_.count <= fetch_max_; }

RangeResponse RangeCollector::Finish(Revision current) {
  Filter();
  Sort();
  if (request_.limit > 0 && response_.kvs.size() > request_.limit) {
    response_.kvs.resize(request_.limit);
    response_.more = true;
  }
  if (request_.keys_only) {
    for (KeyValue& kv : response_.kvs) kv.value.clear();
  }
  response_.revision = current;
  return std::move(response_);
}

void RangeCollector::Filter() {
  const auto outside = [](Revision revision, int64_t min, int64_t max) {
    const auto r = static_cast<int64_t>(revision.value);
    return (max != 0 && r > max) || (min != 0 && r < min);
  };
  std::erase_if(response_.kvs, [&](const KeyValue& kv) {
    return outside(kv.mod_revision, request_.min_mod_revision, request_.max_mod_revision) ||
           outside(kv.create_revision, request_.min_create_revision, request_.max_create_revision);
  });
}

void RangeCollector::Sort() {
  const bool ascending = request_.sort_order != SortOrder::kDescend;
  if (ascending && request_.sort_target == SortTarget::kKey) return;  // that is how they came
  std::stable_sort(response_.kvs.begin(), response_.kvs.end(), [&](const KeyValue& x, const KeyValue& y) {
    const KeyValue& a = ascending ? x : y;
    const KeyValue& b = ascending ? y : x;
    switch (request_.sort_target) {
      case SortTarget::kKey:
        return a.key < b.key;
      case SortTarget::kVersion:
        return a.version < b.version;
      case SortTarget::kCreate:
        return a.create_revision < b.create_revision;
      case SortTarget::kMod:
        return a.mod_revision < b.mod_revision;
      case SortTarget::kValue:
        return a.value < b.value;
    }
    return false;
  });
}

std::optional<Error> CheckRange(const RangeRequest& request, const Meta& meta) {
  if (request.range.key.empty()) return Error::kEmptyKey;
  if (request.revision > meta.current) return Error::kFutureRevision;
  if (request.revision && request.revision < meta.compacted) return Error::kCompacted;
  return std::nullopt;
}

}  // namespace quorate::kv

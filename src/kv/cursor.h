// Walking the versions in the map. Inside kv only.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "kv/key_layout.h"
#include "kv/ordered_map.h"
#include "kv/store.h"

namespace quorate::kv {

Meta ReadMeta(MapIterator& iterator);

// The keys of a range that are alive at revision `at`, in order, each in its newest version not after `at`.
// Moves `iterator`, which is the caller's and must not be moved otherwise meanwhile.
class LiveCursor {
 public:
  LiveCursor(MapIterator& iterator, const KeyRange& range, Revision at);
  bool Valid() const { return valid_; }
  void Next();
  // Of the map, the part that names the key: sorts as keys do. Valid until Next().
  const std::string& prefix() const { return prefix_; }
  KeyValue Load() const;

 private:
  void Settle();   // forward to the next version that counts, from where the iterator is
  void SkipKey();  // past all versions of prefix_

  MapIterator& iterator_;
  const RecordBounds bounds_;
  const Revision at_;
  bool valid_ = false;
  std::string prefix_;
  Revision revision_;
};

// The version of `key` that counts at `at`.
std::optional<KeyValue> LoadKey(MapIterator& iterator, std::string_view key, Revision at);

// What RangeRequest asks of the keys in its range, that are shown to it one by one in order.
class RangeCollector {
 public:
  explicit RangeCollector(const RangeRequest& request);
  // Counts one key. True: Add() it too.
  bool See();
  void Add(KeyValue kv) { response_.kvs.push_back(std::move(kv)); }
  RangeResponse Finish(Revision current);

 private:
  void Filter();
  void Sort();

  const RangeRequest& request_;
  uint64_t fetch_max_ = UINT64_MAX;
  RangeResponse response_;
};

// kEmptyKey, kFutureRevision, kCompacted.
std::optional<Error> CheckRange(const RangeRequest& request, const Meta& meta);

}  // namespace quorate::kv

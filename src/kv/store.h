// The versioned store over an ordered map: every change has a revision, and until compaction every older
// revision can still be read. Pure: nothing here keeps state of its own, waits or locks; what is to be
// written comes out as a MapBatch. All of it lives under the map's prefix byte 'k' (docs/formats-store.md).
//
// A reader may run in any thread while the one writer writes: each function reads through one iterator, so
// what it returns is one version of the store.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "kv/ordered_map.h"
#include "kv/types.h"

namespace quorate::kv {

inline constexpr char kMapPrefix = 'k';

struct Meta {
  Revision current{1};    // of the newest change; 1 in an empty store
  Revision compacted{0};  // older revisions can not be read; 0: never compacted
  bool operator==(const Meta&) const = default;
};
Meta ReadMeta(const MapReader& map);

// kCompacted, kFutureRevision, kEmptyKey.
Result<RangeResponse, Error> Range(const MapReader& map, const RangeRequest& request);

// The newest version of `key`.
std::optional<KeyValue> Get(const MapReader& map, std::string_view key);

// What a Transaction leaves behind. Write `batch` (with whatever else belongs to it) in one Write.
struct Committed {
  MapBatch batch;             // empty if nothing changed
  std::vector<Event> events;  // in order; all at `revision`
  Revision revision;          // the store's newest afterwards
};

// One change of the store: everything put and deleted through it gets ONE revision, the next one; a
// transaction that changes nothing takes none. Reads see the transaction's own earlier writes. A key changed
// more than once counts as changed once, to what it was last (clients are refused that by Check; our own code
// may do it). Keys are any bytes, not empty. The map must not be written between construction and Commit().
class Transaction {
 public:
  explicit Transaction(const MapReader& map);
  Transaction(Transaction&&) noexcept;
  ~Transaction();

  const Meta& meta() const { return meta_; }  // of the store before it
  Revision base_revision() const { return meta_.current; }
  // What the store's newest revision is, as seen from inside: base_revision(), or one more once something
  // changed.
  Revision revision() const;

  std::optional<KeyValue> Get(std::string_view key) const;
  // As kv::Range; revisions newer than base_revision() are kFutureRevision.
  Result<RangeResponse, Error> Range(const RangeRequest& request) const;
  // Each gives what was there before.
  std::optional<KeyValue> Put(std::string_view key, std::string value, int64_t lease = 0);
  std::optional<KeyValue> Delete(std::string_view key);
  std::vector<KeyValue> DeleteRange(const KeyRange& range);  // in order of keys

  // Once; the transaction is empty afterwards.
  Committed Commit();

 private:
  struct Pending {
    std::optional<KeyValue> before;  // in the map
    std::optional<KeyValue> now;
    bool touched = false;  // changed, though perhaps to what it was
  };
  Pending& Touch(std::string_view key);
  std::optional<KeyValue> Set(std::string_view key, Pending& pending, std::optional<KeyValue> now);
  void Scan(const KeyRange& range, Revision at, const std::function<bool()>& see,
            const std::function<void(KeyValue)>& add) const;

  std::unique_ptr<MapIterator> iterator_;
  Meta meta_;
  std::map<std::string, Pending, std::less<>> pending_;
  std::vector<const std::string*> order_;  // keys of pending_, as first touched
  size_t effective_ = 0;                   // how many of pending_ differ from the map
};

// What is wrong with a request by itself, whatever the store holds: empty keys, too many operations, a key
// given twice. Doors call it before they propose; Execute calls it again.
std::optional<Error> Check(const TxnRequest& request);
// A txn that can only read needs no place in the log.
bool IsReadOnly(const TxnRequest& request);

// Runs a client's txn. On an error the transaction is untouched and must be dropped without Commit().
Result<TxnResponse, Error> Execute(Transaction& transaction, const TxnRequest& request);

// Changes of the revisions [from, to] in order, for watchers that were not there when they happened.
struct HistoryRequest {
  KeyRange range;
  Revision from;
  Revision to;               // 0: the newest
  bool prev_kv = false;      // fill Event::prev
  size_t max_events = 1000;  // stop after the first whole revision that reaches it; a revision is never split
  size_t max_bytes = size_t{1} << 20;  // of keys and values; likewise
  size_t max_scanned = 10000;          // changes looked at, matching or not; also ends at a whole revision
};
struct History {
  std::vector<Event> events;
  Revision next;     // ask again from here; > `to` (or > current) when all is there
  Revision current;  // the store's newest when it was read
};
// kCompacted: `from` < Meta::compacted. (At the compacted revision itself all changes are still there.)
struct HistoryCompacted {
  Revision compacted;
};
Result<History, HistoryCompacted> ReadHistory(const MapReader& map, const HistoryRequest& request);

// Forgets the revisions older than `at`: the batch only moves Meta::compacted, so it is cheap and takes
// effect at once. What became unreachable is then deleted by StepCompaction. kCompacted: already at `at` or
// later; kFutureRevision: newer than the newest.
Result<MapBatch, Error> Compact(const MapReader& map, Revision at);

// Deletes some of what compaction made unreachable: at most about `max_writes` writes. A deterministic
// function of the map and `max_writes`. An empty batch: nothing is left to do, and finding that out costs one
// look-up. Of every key that is alive at the compacted revision its newest version then stays.
MapBatch StepCompaction(const MapReader& map, size_t max_writes);

}  // namespace quorate::kv

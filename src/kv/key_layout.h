// Where the store keeps what in the map (docs/formats-store.md). Inside kv only.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/types.h"
#include "kv/types.h"

namespace quorate::kv {

// Meta keys sort together, so one seek and two steps read them.
inline constexpr std::string_view kMetaPrefix = "km";
inline constexpr std::string_view kCompactedKey = "kmc";
inline constexpr std::string_view kPurgeKey = "kmp";
inline constexpr std::string_view kCurrentKey = "kmr";

// "kd" escape(key) 0x00 0x01: what all versions of `key` begin with. escape: 0x00 becomes 0x00 0xFF. Prefixes
// sort as keys do, and none is a prefix of another.
std::string RecordPrefix(std::string_view key);
// The version of revision `at`; versions of a key sort newest first.
std::string RecordKey(std::string_view key, Revision at);
std::string RecordKeyFromPrefix(std::string_view prefix, Revision at);
// The first map key after all versions with this prefix.
std::string AfterPrefix(std::string_view prefix);

struct RecordPlace {
  std::string_view prefix;  // as RecordPrefix gives
  Revision revision;
};
// nullopt: not a record's key.
std::optional<RecordPlace> ParseRecordKey(std::string_view map_key);
// The key that RecordPrefix was made of.
std::string KeyOfPrefix(std::string_view prefix);

// All records of a range are the map keys in [from, to).
struct RecordBounds {
  std::string from, to;
};
RecordBounds BoundsOf(const KeyRange& range);

// "kr" revision:u64be sub:u32be -> key: what changed, in order.
inline constexpr std::string_view kIndexPrefix = "kr";
struct IndexPlace {
  Revision revision;
  uint32_t sub = 0;  // place within the revision, from 0
};
std::string IndexKey(IndexPlace place);
std::optional<IndexPlace> ParseIndexKey(std::string_view map_key);

// A version: its own key and revision are in the map's key.
struct Record {
  bool tombstone = false;
  Revision create_revision;
  uint64_t version = 0;
  int64_t lease = 0;
  std::string_view value;
};
std::string EncodeRecord(const Record& record);
// Stops the process if it is none: the map is ours alone and checked below us.
Record DecodeRecord(std::string_view bytes);
std::optional<Record> ParseRecord(std::string_view bytes);  // nullopt: it is none

std::string EncodeRevision(Revision revision);
Revision DecodeRevision(std::string_view bytes);  // as DecodeRecord
std::optional<Revision> ParseRevision(std::string_view bytes);

}  // namespace quorate::kv

// The words of the store: what a client asks and what it gets, with the meaning etcd v3.4 gives them
// (etcd API reference, service KV). All are plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/types.h"

namespace quorate::kv {

struct KeyValue {
  std::string key;
  std::string value;
  Revision create_revision;  // of the put that made the key, or made it anew after a delete
  Revision mod_revision;     // of the last change
  uint64_t version = 0;      // puts since it was made; 1 after the first
  int64_t lease = 0;         // 0: none
  bool operator==(const KeyValue&) const = default;
};

// A change, as watchers see it. Of a delete `kv` has only key and mod_revision.
struct Event {
  enum class Type : uint8_t { kPut = 0, kDelete = 1 };
  Type type = Type::kPut;
  KeyValue kv;
  std::optional<KeyValue> prev;  // as it was before the change; absent if there was none or it is compacted
  bool operator==(const Event&) const = default;
};

// `end` empty: just `key`. `end` == "\0": every key >= `key`. Otherwise key <= k < end.
// key and end both "\0": everything.
struct KeyRange {
  std::string key;
  std::string end;

  bool Single() const { return end.empty(); }
  bool Unbounded() const { return end.size() == 1 && end[0] == '\0'; }
  bool Contains(std::string_view k) const {
    if (Single()) return k == key;
    return k >= key && (Unbounded() || k < end);
  }
  bool operator==(const KeyRange&) const = default;
};
// Every key that begins with `prefix`.
KeyRange PrefixRange(std::string_view prefix);

// Why the store refused. A refused request changed nothing. Names and meaning are etcd's (rpctypes/error.go).
enum class Error : uint8_t {
  kEmptyKey = 1,
  kKeyNotFound = 2,    // ignore_value or ignore_lease on a key that is not there
  kValueProvided = 3,  // ignore_value together with a value
  kLeaseProvided = 4,  // ignore_lease together with a lease
  kTooManyOps = 5,
  kDuplicateKey = 6,    // a key would be changed twice in one txn
  kCompacted = 7,       // the revision asked for is gone
  kFutureRevision = 8,  // the revision asked for is not there yet
  kLeaseNotFound = 9,
  kTooDeep = 10,  // txns nested deeper than limits::kTxnDepthMax
};
// etcd's text, such as "etcdserver: mvcc: required revision has been compacted".
std::string_view ErrorText(Error error);

enum class SortOrder : uint8_t { kNone = 0, kAscend = 1, kDescend = 2 };
enum class SortTarget : uint8_t { kKey = 0, kVersion = 1, kCreate = 2, kMod = 3, kValue = 4 };

struct RangeRequest {
  KeyRange range;
  uint64_t limit = 0;  // 0: no limit
  Revision revision;   // 0: the newest
  SortOrder sort_order = SortOrder::kNone;
  SortTarget sort_target = SortTarget::kKey;
  bool keys_only = false;
  bool count_only = false;
  int64_t min_mod_revision = 0, max_mod_revision = 0;  // 0: not asked
  int64_t min_create_revision = 0, max_create_revision = 0;
  bool operator==(const RangeRequest&) const = default;
};
struct RangeResponse {
  Revision revision;  // the store's newest when it was read, whatever revision was asked for
  std::vector<KeyValue> kvs;
  bool more = false;   // `limit` cut some off
  uint64_t count = 0;  // keys in the range at that revision, without limit and min/max
  bool operator==(const RangeResponse&) const = default;
};

struct PutRequest {
  std::string key;
  std::string value;
  int64_t lease = 0;
  bool prev_kv = false;
  bool ignore_value = false;  // keep the value it has
  bool ignore_lease = false;
  bool operator==(const PutRequest&) const = default;
};
struct PutResponse {
  Revision revision;
  std::optional<KeyValue> prev;  // only if asked for
  bool operator==(const PutResponse&) const = default;
};

struct DeleteRangeRequest {
  KeyRange range;
  bool prev_kv = false;
  bool operator==(const DeleteRangeRequest&) const = default;
};
struct DeleteRangeResponse {
  Revision revision;
  uint64_t deleted = 0;
  std::vector<KeyValue> prev;  // only if asked for
  bool operator==(const DeleteRangeResponse&) const = default;
};

struct Compare {
  enum class Result : uint8_t { kEqual = 0, kGreater = 1, kLess = 2, kNotEqual = 3 };
  enum class Target : uint8_t { kVersion = 0, kCreate = 1, kMod = 2, kValue = 3, kLease = 4 };
  Result result = Result::kEqual;
  Target target = Target::kVersion;
  KeyRange range;      // true if it holds for every key in the range; for a missing key numbers are 0
  int64_t number = 0;  // for all targets but kValue
  std::string value;   // for kValue; false for a missing key
  bool operator==(const Compare&) const = default;
};

struct TxnRequest;
struct TxnResponse;
// std::vector<TxnRequest> holds exactly one: a nested txn.
using RequestOp = std::variant<RangeRequest, PutRequest, DeleteRangeRequest, std::vector<TxnRequest>>;
using ResponseOp = std::variant<RangeResponse, PutResponse, DeleteRangeResponse, std::vector<TxnResponse>>;

// If all `compare` hold (of nested txns too: on the state before the whole txn) then `success` else
// `failure`.
struct TxnRequest {
  std::vector<Compare> compare;
  std::vector<RequestOp> success;
  std::vector<RequestOp> failure;
  bool operator==(const TxnRequest&) const;
};
struct TxnResponse {
  Revision revision;  // the store's newest after it
  bool succeeded = false;
  std::vector<ResponseOp> responses;  // one for each op of the branch taken
  bool operator==(const TxnResponse&) const;
};

inline bool TxnRequest::operator==(const TxnRequest& other) const {
  return compare == other.compare && success == other.success && failure == other.failure;
}
inline bool TxnResponse::operator==(const TxnResponse& other) const {
  return revision == other.revision && succeeded == other.succeeded && responses == other.responses;
}

// A txn of one operation: how a plain put or delete goes through the log.
inline TxnRequest SingleOp(RequestOp op) {
  TxnRequest txn;
  txn.success.push_back(std::move(op));
  return txn;
}

}  // namespace quorate::kv

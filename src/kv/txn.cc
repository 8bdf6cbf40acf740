// A client's txn: etcd v3.4's checks, in its order, then its operations.
#include <algorithm>
#include <set>

#include "base/limits.h"
#include "base/overloaded.h"
#include "kv/cursor.h"
#include "kv/store.h"

namespace quorate::kv {
namespace {

using Ops = std::vector<RequestOp>;

std::optional<Error> CheckOps(const TxnRequest& txn, size_t ops_max, size_t depth);

std::optional<Error> CheckOp(const RequestOp& op, size_t ops_max, size_t depth) {
  return std::visit(Overloaded{[](const RangeRequest& r) -> std::optional<Error> {
                                 if (r.range.key.empty()) return Error::kEmptyKey;
                                 return std::nullopt;
                               },
                               [](const PutRequest& r) -> std::optional<Error> {
                                 if (r.key.empty()) return Error::kEmptyKey;
                                 if (r.ignore_value && !r.value.empty()) return Error::kValueProvided;
                                 if (r.ignore_lease && r.lease != 0) return Error::kLeaseProvided;
                                 return std::nullopt;
                               },
                               [](const DeleteRangeRequest& r) -> std::optional<Error> {
                                 if (r.range.key.empty()) return Error::kEmptyKey;
                                 return std::nullopt;
                               },
                               [&](const std::vector<TxnRequest>& nested) -> std::optional<Error> {
                                 if (nested.size() != 1)
                                   return Error::kKeyNotFound;  // as etcd calls an op without content
                                 return CheckOps(nested[0], ops_max, depth + 1);
                               }},
                    op);
}

std::optional<Error> CheckOps(const TxnRequest& txn, size_t ops_max, size_t depth) {
  if (depth > limits::kTxnDepthMax) return Error::kTooDeep;
  const size_t ops = std::max({txn.compare.size(), txn.success.size(), txn.failure.size()});
  if (ops > ops_max) return Error::kTooManyOps;
  for (const Compare& compare : txn.compare) {
    if (compare.range.key.empty()) return Error::kEmptyKey;
  }
  for (const Ops* branch : {&txn.success, &txn.failure}) {
    for (const RequestOp& op : *branch) {
      if (const auto error = CheckOp(op, ops_max - ops, depth)) return error;
    }
  }
  return std::nullopt;
}

struct Writes {
  std::set<std::string_view> puts;
  std::vector<const KeyRange*> deletes;

  bool Deletes(std::string_view key) const {
    return std::any_of(deletes.begin(), deletes.end(),
                       [&](const KeyRange* range) { return range->Contains(key); });
  }
};

std::optional<Writes> CollectWrites(const Ops& ops);

// The writes of a nested txn join those of the level above. The two branches exclude each other, so both may
// put the same key.
bool MergeNested(const TxnRequest& txn, Writes& level) {
  const std::optional<Writes> then = CollectWrites(txn.success);
  const std::optional<Writes> otherwise = CollectWrites(txn.failure);
  if (!then || !otherwise) return false;
  for (std::string_view key : then->puts) {
    if (level.Deletes(key) || !level.puts.insert(key).second) return false;
  }
  for (std::string_view key : otherwise->puts) {
    if (level.Deletes(key)) return false;
    if (!level.puts.insert(key).second && !then->puts.contains(key)) return false;
  }
  for (const Writes* branch : {&*then, &*otherwise}) {
    level.deletes.insert(level.deletes.end(), branch->deletes.begin(), branch->deletes.end());
  }
  return true;
}

// nullopt: a key would be written twice.
std::optional<Writes> CollectWrites(const Ops& ops) {
  Writes level;
  for (const RequestOp& op : ops) {
    if (const auto* del = std::get_if<DeleteRangeRequest>(&op)) level.deletes.push_back(&del->range);
  }
  for (const RequestOp& op : ops) {
    const auto* nested = std::get_if<std::vector<TxnRequest>>(&op);
    if (nested && !MergeNested(nested->front(), level)) return std::nullopt;
  }
  for (const RequestOp& op : ops) {
    const auto* put = std::get_if<PutRequest>(&op);
    if (put && (level.Deletes(put->key) || !level.puts.insert(put->key).second)) return std::nullopt;
  }
  return level;
}

bool Matches(const Compare& compare, const KeyValue& kv) {
  const auto against = [&](auto have, auto want) {
    switch (compare.result) {
      case Compare::Result::kEqual:
        return have == want;
      case Compare::Result::kNotEqual:
        return have != want;
      case Compare::Result::kGreater:
        return have > want;
      case Compare::Result::kLess:
        return have < want;
    }
    return false;
  };
  switch (compare.target) {
    case Compare::Target::kVersion:
      return against(static_cast<int64_t>(kv.version), compare.number);
    case Compare::Target::kCreate:
      return against(static_cast<int64_t>(kv.create_revision.value), compare.number);
    case Compare::Target::kMod:
      return against(static_cast<int64_t>(kv.mod_revision.value), compare.number);
    case Compare::Target::kLease:
      return against(kv.lease, compare.number);
    case Compare::Target::kValue:
      return against(std::string_view(kv.value), std::string_view(compare.value));
  }
  return false;
}

bool Holds(const Transaction& transaction, const Compare& compare) {
  const auto found = transaction.Range({.range = compare.range});
  if (!found.ok()) return false;
  if (found->kvs.empty()) return compare.target != Compare::Target::kValue && Matches(compare, KeyValue{});
  return std::all_of(found->kvs.begin(), found->kvs.end(),
                     [&](const KeyValue& kv) { return Matches(compare, kv); });
}

// Which branch every txn takes, decided before anything is written; in the order they are met.
using Path = std::vector<bool>;
void ChoosePath(const Transaction& transaction, const TxnRequest& txn, Path& path) {
  const bool success = std::all_of(txn.compare.begin(), txn.compare.end(),
                                   [&](const Compare& compare) { return Holds(transaction, compare); });
  path.push_back(success);
  for (const RequestOp& op : success ? txn.success : txn.failure) {
    if (const auto* nested = std::get_if<std::vector<TxnRequest>>(&op)) {
      ChoosePath(transaction, nested->front(), path);
    }
  }
}

// Calls `visit` for each operation that will run that is no txn.
void ForEachChosen(const TxnRequest& txn, Path::const_iterator& next,
                   const std::function<void(const RequestOp&)>& visit) {
  for (const RequestOp& op : *next++ ? txn.success : txn.failure) {
    if (const auto* nested = std::get_if<std::vector<TxnRequest>>(&op)) {
      ForEachChosen(nested->front(), next, visit);
    } else {
      visit(op);
    }
  }
}

std::optional<Error> CheckPut(const Transaction& transaction, const PutRequest& put) {
  if ((put.ignore_value || put.ignore_lease) && !transaction.Get(put.key)) return Error::kKeyNotFound;
  // There are no TTL leases yet, so none can be named.
  if (put.lease != 0) return Error::kLeaseNotFound;
  return std::nullopt;
}

ResponseOp Run(Transaction& transaction, const RangeRequest& request) {
  return *transaction.Range(request);  // was checked
}

ResponseOp Run(Transaction& transaction, const PutRequest& request) {
  std::string value = request.value;
  int64_t lease = request.lease;
  if (request.ignore_value || request.ignore_lease) {
    const std::optional<KeyValue> had = transaction.Get(request.key);
    if (had && request.ignore_value) value = had->value;
    if (had && request.ignore_lease) lease = had->lease;
  }
  PutResponse response;
  response.prev = transaction.Put(request.key, std::move(value), lease);
  if (!request.prev_kv) response.prev.reset();
  response.revision = transaction.revision();
  return response;
}

ResponseOp Run(Transaction& transaction, const DeleteRangeRequest& request) {
  DeleteRangeResponse response;
  response.prev = transaction.DeleteRange(request.range);
  response.deleted = response.prev.size();
  if (!request.prev_kv) response.prev.clear();
  response.revision = transaction.revision();
  return response;
}

TxnResponse RunChosen(Transaction& transaction, const TxnRequest& txn, Path::const_iterator& next) {
  TxnResponse response;
  response.succeeded = *next++;
  for (const RequestOp& op : response.succeeded ? txn.success : txn.failure) {
    response.responses.push_back(
        std::visit(Overloaded{[&](const std::vector<TxnRequest>& nested) -> ResponseOp {
                                std::vector<TxnResponse> one;
                                one.push_back(RunChosen(transaction, nested.front(), next));
                                return one;
                              },
                              [&](const auto& request) { return Run(transaction, request); }},
                   op));
  }
  response.revision = transaction.revision();
  return response;
}

}  // namespace

std::optional<Error> Check(const TxnRequest& request) {
  if (const auto error = CheckOps(request, limits::kTxnOpsMax, 1)) return error;
  if (!CollectWrites(request.success) || !CollectWrites(request.failure)) return Error::kDuplicateKey;
  return std::nullopt;
}

bool IsReadOnly(const TxnRequest& request) {
  const auto reads = [](const RequestOp& op) {
    if (const auto* nested = std::get_if<std::vector<TxnRequest>>(&op)) {
      return std::all_of(nested->begin(), nested->end(), IsReadOnly);
    }
    return std::holds_alternative<RangeRequest>(op);
  };
  return std::all_of(request.success.begin(), request.success.end(), reads) &&
         std::all_of(request.failure.begin(), request.failure.end(), reads);
}

Result<TxnResponse, Error> Execute(Transaction& transaction, const TxnRequest& request) {
  if (const auto error = Check(request)) return *error;
  Path path;
  ChoosePath(transaction, request, path);
  std::optional<Error> put_error, range_error;
  auto next = path.cbegin();
  ForEachChosen(request, next, [&](const RequestOp& op) {
    if (const auto* put = std::get_if<PutRequest>(&op); put && !put_error) {
      put_error = CheckPut(transaction, *put);
    }
    if (const auto* range = std::get_if<RangeRequest>(&op); range && !range_error) {
      range_error = CheckRange(*range, transaction.meta());
    }
  });
  if (put_error) return *put_error;
  if (range_error) return *range_error;
  next = path.cbegin();
  return RunChosen(transaction, request, next);
}

}  // namespace quorate::kv

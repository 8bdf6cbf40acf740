// etcd's messages as the store's words, and back.
#pragma once

#include <optional>

#include "base/result.h"
#include "etcd/rpc.pb.h"
#include "kv/types.h"

namespace quorate::api::etcd {

// What a request says that the store has no word for. Message text is etcd's where etcd has one.
struct BadRequest {
  std::string text;
};

kv::KeyRange ToRange(const std::string& key, const std::string& range_end);
Result<kv::RangeRequest, BadRequest> ToStore(const etcdserverpb::RangeRequest& request);
kv::PutRequest ToStore(const etcdserverpb::PutRequest& request);
kv::DeleteRangeRequest ToStore(const etcdserverpb::DeleteRangeRequest& request);
Result<kv::TxnRequest, BadRequest> ToStore(const etcdserverpb::TxnRequest& request);

// Headers are the caller's, but for their revisions inside a txn's answer.
void FromStore(kv::KeyValue kv, mvccpb::KeyValue& out);
void FromStore(kv::RangeResponse response, etcdserverpb::RangeResponse& out);
void FromStore(kv::PutResponse response, etcdserverpb::PutResponse& out);
void FromStore(kv::DeleteRangeResponse response, etcdserverpb::DeleteRangeResponse& out);
void FromStore(kv::TxnResponse response, etcdserverpb::TxnResponse& out);
void FromStore(const kv::Event& event, bool prev_kv, mvccpb::Event& out);

// All ranges may be read without a barrier.
bool IsSerializable(const etcdserverpb::TxnRequest& request);

}  // namespace quorate::api::etcd

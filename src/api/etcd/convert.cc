#include "api/etcd/convert.h"

#include <algorithm>

#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::api::etcd {
namespace {

using etcdserverpb::RequestOp;
using Ops = google::protobuf::RepeatedPtrField<RequestOp>;

constexpr const char* kUnknownChoice = "etcdserver: a choice in the request is unknown";

uint64_t AtLeastZero(int64_t v) { return v > 0 ? static_cast<uint64_t>(v) : 0; }
int64_t Number(Revision revision) { return static_cast<int64_t>(revision.value); }

Result<kv::Compare, BadRequest> ToCompare(const etcdserverpb::Compare& compare) {
  if (!etcdserverpb::Compare::CompareResult_IsValid(compare.result()) ||
      !etcdserverpb::Compare::CompareTarget_IsValid(compare.target())) {
    return BadRequest{kUnknownChoice};
  }
  kv::Compare out{.result = static_cast<kv::Compare::Result>(compare.result()),
                  .target = static_cast<kv::Compare::Target>(compare.target()),
                  .range = ToRange(compare.key(), compare.range_end())};
  // An operand of another kind than the target counts as absent, which is 0 or empty.
  switch (out.target) {
    case kv::Compare::Target::kVersion:
      out.number = compare.version();
      break;
    case kv::Compare::Target::kCreate:
      out.number = compare.create_revision();
      break;
    case kv::Compare::Target::kMod:
      out.number = compare.mod_revision();
      break;
    case kv::Compare::Target::kLease:
      out.number = compare.lease();
      break;
    case kv::Compare::Target::kValue:
      out.value = compare.value();
      break;
  }
  return out;
}

Result<kv::TxnRequest, BadRequest> ToTxn(const etcdserverpb::TxnRequest& request, size_t depth);

Result<kv::RequestOp, BadRequest> ToOp(const RequestOp& op, size_t depth) {
  switch (op.request_case()) {
    case RequestOp::kRequestRange: {
      auto range = ToStore(op.request_range());
      if (!range.ok()) return range.error();
      return kv::RequestOp(*std::move(range));
    }
    case RequestOp::kRequestPut:
      return kv::RequestOp(ToStore(op.request_put()));
    case RequestOp::kRequestDeleteRange:
      return kv::RequestOp(ToStore(op.request_delete_range()));
    case RequestOp::kRequestTxn: {
      auto txn = ToTxn(op.request_txn(), depth + 1);
      if (!txn.ok()) return txn.error();
      return kv::RequestOp(std::vector<kv::TxnRequest>(1, *std::move(txn)));
    }
    case RequestOp::REQUEST_NOT_SET:
      break;
  }
  return kv::RequestOp(std::vector<kv::TxnRequest>{});  // kv::Check says what etcd says
}

Result<kv::TxnRequest, BadRequest> ToTxn(const etcdserverpb::TxnRequest& request, size_t depth) {
  if (depth > limits::kTxnDepthMax) return BadRequest{std::string(kv::ErrorText(kv::Error::kTooDeep))};
  kv::TxnRequest txn;
  for (const etcdserverpb::Compare& compare : request.compare()) {
    auto converted = ToCompare(compare);
    if (!converted.ok()) return converted.error();
    txn.compare.push_back(*std::move(converted));
  }
  for (auto [from, to] :
       {std::pair(&request.success(), &txn.success), std::pair(&request.failure(), &txn.failure)}) {
    for (const RequestOp& op : *from) {
      auto converted = ToOp(op, depth);
      if (!converted.ok()) return converted.error();
      to->push_back(*std::move(converted));
    }
  }
  return txn;
}

}  // namespace

kv::KeyRange ToRange(const std::string& key, const std::string& range_end) { return {key, range_end}; }

Result<kv::RangeRequest, BadRequest> ToStore(const etcdserverpb::RangeRequest& request) {
  if (!etcdserverpb::RangeRequest::SortOrder_IsValid(request.sort_order()) ||
      !etcdserverpb::RangeRequest::SortTarget_IsValid(request.sort_target())) {
    return BadRequest{"etcdserver: invalid sort option"};
  }
  return kv::RangeRequest{.range = ToRange(request.key(), request.range_end()),
                          .limit = AtLeastZero(request.limit()),
                          .revision = Revision{AtLeastZero(request.revision())},
                          .sort_order = static_cast<kv::SortOrder>(request.sort_order()),
                          .sort_target = static_cast<kv::SortTarget>(request.sort_target()),
                          .keys_only = request.keys_only(),
                          .count_only = request.count_only(),
                          .min_mod_revision = request.min_mod_revision(),
                          .max_mod_revision = request.max_mod_revision(),
                          .min_create_revision = request.min_create_revision(),
                          .max_create_revision = request.max_create_revision()};
}

kv::PutRequest ToStore(const etcdserverpb::PutRequest& request) {
  return {.key = request.key(),
          .value = request.value(),
          .lease = request.lease(),
          .prev_kv = request.prev_kv(),
          .ignore_value = request.ignore_value(),
          .ignore_lease = request.ignore_lease()};
}

kv::DeleteRangeRequest ToStore(const etcdserverpb::DeleteRangeRequest& request) {
  return {ToRange(request.key(), request.range_end()), request.prev_kv()};
}

Result<kv::TxnRequest, BadRequest> ToStore(const etcdserverpb::TxnRequest& request) {
  return ToTxn(request, 1);
}

void FromStore(kv::KeyValue kv, mvccpb::KeyValue& out) {
  out.set_key(std::move(kv.key));
  out.set_value(std::move(kv.value));
  out.set_create_revision(Number(kv.create_revision));
  out.set_mod_revision(Number(kv.mod_revision));
  out.set_version(static_cast<int64_t>(kv.version));
  out.set_lease(kv.lease);
}

void FromStore(kv::RangeResponse response, etcdserverpb::RangeResponse& out) {
  out.mutable_header()->set_revision(Number(response.revision));
  for (kv::KeyValue& kv : response.kvs) FromStore(std::move(kv), *out.add_kvs());
  out.set_more(response.more);
  out.set_count(static_cast<int64_t>(response.count));
}

void FromStore(kv::PutResponse response, etcdserverpb::PutResponse& out) {
  out.mutable_header()->set_revision(Number(response.revision));
  if (response.prev) FromStore(*std::move(response.prev), *out.mutable_prev_kv());
}

void FromStore(kv::DeleteRangeResponse response, etcdserverpb::DeleteRangeResponse& out) {
  out.mutable_header()->set_revision(Number(response.revision));
  out.set_deleted(static_cast<int64_t>(response.deleted));
  for (kv::KeyValue& kv : response.prev) FromStore(std::move(kv), *out.add_prev_kvs());
}

void FromStore(kv::TxnResponse response, etcdserverpb::TxnResponse& out) {
  out.mutable_header()->set_revision(Number(response.revision));
  out.set_succeeded(response.succeeded);
  for (kv::ResponseOp& op : response.responses) {
    etcdserverpb::ResponseOp& to = *out.add_responses();
    std::visit(
        Overloaded{
            [&](kv::RangeResponse& r) { FromStore(std::move(r), *to.mutable_response_range()); },
            [&](kv::PutResponse& r) { FromStore(std::move(r), *to.mutable_response_put()); },
            [&](kv::DeleteRangeResponse& r) { FromStore(std::move(r), *to.mutable_response_delete_range()); },
            [&](std::vector<kv::TxnResponse>& nested) {
              FromStore(std::move(nested.front()), *to.mutable_response_txn());
            }},
        op);
  }
}

void FromStore(const kv::Event& event, bool prev_kv, mvccpb::Event& out) {
  out.set_type(event.type == kv::Event::Type::kPut ? mvccpb::Event::PUT : mvccpb::Event::DELETE);
  FromStore(event.kv, *out.mutable_kv());
  if (prev_kv && event.prev) FromStore(*event.prev, *out.mutable_prev_kv());
}

bool IsSerializable(const etcdserverpb::TxnRequest& request) {
  const auto serializable = [](const RequestOp& op) {
    if (op.has_request_txn()) return IsSerializable(op.request_txn());
    return op.has_request_range() && op.request_range().serializable();
  };
  // Compares alone are a fence: they must see the newest state.
  if (request.success().empty() && request.failure().empty()) return false;
  return std::all_of(request.success().begin(), request.success().end(), serializable) &&
         std::all_of(request.failure().begin(), request.failure().end(), serializable);
}

}  // namespace quorate::api::etcd

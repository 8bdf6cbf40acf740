#include "kv/codec.h"

#include <utility>

#include "base/limits.h"
#include "base/overloaded.h"

namespace quorate::kv {
namespace {

enum OpTag : uint8_t { kRange = 1, kPut = 2, kDeleteRange = 3, kTxn = 4 };

uint64_t Unsigned(int64_t v) { return static_cast<uint64_t>(v); }
int64_t Signed(uint64_t v) { return static_cast<int64_t>(v); }

// A byte that names one of `count` things.
uint8_t Choice(ByteReader& in, uint8_t count) {
  const uint8_t v = in.U8();
  if (v < count) return v;
  in.Fail();
  return 0;
}
bool Flag(ByteReader& in) { return Choice(in, 2) != 0; }

void Encode(const KeyRange& range, ByteWriter& out) {
  out.String(range.key);
  out.String(range.end);
}
KeyRange DecodeKeyRange(ByteReader& in) {
  KeyRange range;
  range.key = in.String();
  range.end = in.String();
  return range;
}

void Encode(const std::optional<KeyValue>& kv, ByteWriter& out) {
  out.U8(kv ? 1 : 0);
  if (kv) EncodeKeyValue(*kv, out);
}
std::optional<KeyValue> DecodeOptionalKeyValue(ByteReader& in) {
  if (!Flag(in)) return std::nullopt;
  return DecodeKeyValue(in);
}

void Encode(const std::vector<KeyValue>& kvs, ByteWriter& out) {
  out.Varint(kvs.size());
  for (const KeyValue& kv : kvs) EncodeKeyValue(kv, out);
}
std::vector<KeyValue> DecodeKeyValues(ByteReader& in) {
  std::vector<KeyValue> kvs(in.Count(6));
  for (KeyValue& kv : kvs) kv = DecodeKeyValue(in);
  return kvs;
}

void Encode(const RangeRequest& r, ByteWriter& out) {
  Encode(r.range, out);
  out.Varint(r.limit);
  out.Varint(r.revision.value);
  out.U8(static_cast<uint8_t>(r.sort_order));
  out.U8(static_cast<uint8_t>(r.sort_target));
  out.U8(r.keys_only ? 1 : 0);
  out.U8(r.count_only ? 1 : 0);
  for (int64_t v : {r.min_mod_revision, r.max_mod_revision, r.min_create_revision, r.max_create_revision}) {
    out.Varint(Unsigned(v));
  }
}
RangeRequest DecodeRange(ByteReader& in) {
  RangeRequest r;
  r.range = DecodeKeyRange(in);
  r.limit = in.Varint();
  r.revision = {in.Varint()};
  r.sort_order = static_cast<SortOrder>(Choice(in, 3));
  r.sort_target = static_cast<SortTarget>(Choice(in, 5));
  r.keys_only = Flag(in);
  r.count_only = Flag(in);
  for (int64_t* v :
       {&r.min_mod_revision, &r.max_mod_revision, &r.min_create_revision, &r.max_create_revision}) {
    *v = Signed(in.Varint());
  }
  return r;
}

void Encode(const PutRequest& r, ByteWriter& out) {
  out.String(r.key);
  out.String(r.value);
  out.Varint(Unsigned(r.lease));
  out.U8(static_cast<uint8_t>((r.prev_kv ? 1 : 0) | (r.ignore_value ? 2 : 0) | (r.ignore_lease ? 4 : 0)));
}
PutRequest DecodePut(ByteReader& in) {
  PutRequest r;
  r.key = in.String();
  r.value = in.String();
  r.lease = Signed(in.Varint());
  const uint8_t flags = Choice(in, 8);
  r.prev_kv = flags & 1;
  r.ignore_value = flags & 2;
  r.ignore_lease = flags & 4;
  return r;
}

void Encode(const DeleteRangeRequest& r, ByteWriter& out) {
  Encode(r.range, out);
  out.U8(r.prev_kv ? 1 : 0);
}
DeleteRangeRequest DecodeDeleteRange(ByteReader& in) {
  DeleteRangeRequest r;
  r.range = DecodeKeyRange(in);
  r.prev_kv = Flag(in);
  return r;
}

void Encode(const Compare& c, ByteWriter& out) {
  out.U8(static_cast<uint8_t>(c.result));
  out.U8(static_cast<uint8_t>(c.target));
  Encode(c.range, out);
  out.Varint(Unsigned(c.number));
  out.String(c.value);
}
Compare DecodeCompare(ByteReader& in) {
  Compare c;
  c.result = static_cast<Compare::Result>(Choice(in, 4));
  c.target = static_cast<Compare::Target>(Choice(in, 5));
  c.range = DecodeKeyRange(in);
  c.number = Signed(in.Varint());
  c.value = in.String();
  return c;
}

void Encode(const RequestOp& op, ByteWriter& out) {
  std::visit(Overloaded{[&](const RangeRequest& r) { out.U8(kRange), Encode(r, out); },
                        [&](const PutRequest& r) { out.U8(kPut), Encode(r, out); },
                        [&](const DeleteRangeRequest& r) { out.U8(kDeleteRange), Encode(r, out); },
                        [&](const std::vector<TxnRequest>& nested) {
                          out.U8(kTxn);
                          EncodeTxnRequest(nested.front(), out);
                        }},
             op);
}

TxnRequest DecodeTxn(ByteReader& in, size_t depth);

RequestOp DecodeOp(ByteReader& in, size_t depth) {
  switch (in.U8()) {
    case kRange:
      return DecodeRange(in);
    case kPut:
      return DecodePut(in);
    case kDeleteRange:
      return DecodeDeleteRange(in);
    case kTxn: {
      std::vector<TxnRequest> nested;
      nested.push_back(DecodeTxn(in, depth + 1));
      return nested;
    }
    default:
      in.Fail();
      return RangeRequest{};
  }
}

TxnRequest DecodeTxn(ByteReader& in, size_t depth) {
  TxnRequest txn;
  if (depth > limits::kTxnDepthMax) in.Fail();
  txn.compare.resize(in.Count(6));
  for (Compare& compare : txn.compare) compare = DecodeCompare(in);
  for (auto* branch : {&txn.success, &txn.failure}) {
    const size_t count = in.Count(4);
    for (size_t i = 0; i < count && in.ok(); ++i) branch->push_back(DecodeOp(in, depth));
  }
  return txn;
}

void Encode(const ResponseOp& op, ByteWriter& out) {
  std::visit(Overloaded{[&](const RangeResponse& r) {
                          out.U8(kRange);
                          out.Varint(r.revision.value);
                          Encode(r.kvs, out);
                          out.U8(r.more ? 1 : 0);
                          out.Varint(r.count);
                        },
                        [&](const PutResponse& r) {
                          out.U8(kPut);
                          out.Varint(r.revision.value);
                          Encode(r.prev, out);
                        },
                        [&](const DeleteRangeResponse& r) {
                          out.U8(kDeleteRange);
                          out.Varint(r.revision.value);
                          out.Varint(r.deleted);
                          Encode(r.prev, out);
                        },
                        [&](const std::vector<TxnResponse>& nested) {
                          out.U8(kTxn);
                          EncodeTxnResponse(nested.front(), out);
                        }},
             op);
}

TxnResponse DecodeTxnAnswer(ByteReader& in, size_t depth);

ResponseOp DecodeResponseOp(ByteReader& in, size_t depth) {
  switch (in.U8()) {
    case kRange: {
      RangeResponse r;
      r.revision = {in.Varint()};
      r.kvs = DecodeKeyValues(in);
      r.more = Flag(in);
      r.count = in.Varint();
      return r;
    }
    case kPut: {
      PutResponse r;
      r.revision = {in.Varint()};
      r.prev = DecodeOptionalKeyValue(in);
      return r;
    }
    case kDeleteRange: {
      DeleteRangeResponse r;
      r.revision = {in.Varint()};
      r.deleted = in.Varint();
      r.prev = DecodeKeyValues(in);
      return r;
    }
    case kTxn: {
      std::vector<TxnResponse> nested;
      nested.push_back(DecodeTxnAnswer(in, depth + 1));
      return nested;
    }
    default:
      in.Fail();
      return RangeResponse{};
  }
}

TxnResponse DecodeTxnAnswer(ByteReader& in, size_t depth) {
  TxnResponse txn;
  if (depth > limits::kTxnDepthMax) in.Fail();
  txn.revision = {in.Varint()};
  txn.succeeded = Flag(in);
  const size_t count = in.Count(3);
  for (size_t i = 0; i < count && in.ok(); ++i) txn.responses.push_back(DecodeResponseOp(in, depth));
  return txn;
}

}  // namespace

void EncodeKeyValue(const KeyValue& kv, ByteWriter& out) {
  out.String(kv.key);
  out.String(kv.value);
  out.Varint(kv.create_revision.value);
  out.Varint(kv.mod_revision.value);
  out.Varint(kv.version);
  out.Varint(Unsigned(kv.lease));
}

KeyValue DecodeKeyValue(ByteReader& in) {
  KeyValue kv;
  kv.key = in.String();
  kv.value = in.String();
  kv.create_revision = {in.Varint()};
  kv.mod_revision = {in.Varint()};
  kv.version = in.Varint();
  kv.lease = Signed(in.Varint());
  return kv;
}

void EncodeTxnRequest(const TxnRequest& request, ByteWriter& out) {
  out.Varint(request.compare.size());
  for (const Compare& compare : request.compare) Encode(compare, out);
  for (const auto* branch : {&request.success, &request.failure}) {
    out.Varint(branch->size());
    for (const RequestOp& op : *branch) Encode(op, out);
  }
}

std::optional<TxnRequest> DecodeTxnRequest(ByteReader& in) {
  TxnRequest txn = DecodeTxn(in, 1);
  if (!in.ok()) return std::nullopt;
  return txn;
}

void EncodeTxnResponse(const TxnResponse& response, ByteWriter& out) {
  out.Varint(response.revision.value);
  out.U8(response.succeeded ? 1 : 0);
  out.Varint(response.responses.size());
  for (const ResponseOp& op : response.responses) Encode(op, out);
}

std::optional<TxnResponse> DecodeTxnResponse(ByteReader& in) {
  TxnResponse response = DecodeTxnAnswer(in, 1);
  if (!in.ok()) return std::nullopt;
  return response;
}

}  // namespace quorate::kv

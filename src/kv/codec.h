// Requests and answers as bytes, for commands in the log and for outcomes (docs/formats-store.md). Decoding
// takes bytes from anywhere: nullopt or a failed reader for what is malformed; nesting is bounded by
// limits::kTxnDepthMax.
#pragma once

#include <optional>

#include "base/bytes.h"
#include "kv/types.h"

namespace quorate::kv {

void EncodeTxnRequest(const TxnRequest& request, ByteWriter& out);
std::optional<TxnRequest> DecodeTxnRequest(ByteReader& in);

void EncodeTxnResponse(const TxnResponse& response, ByteWriter& out);
std::optional<TxnResponse> DecodeTxnResponse(ByteReader& in);

void EncodeKeyValue(const KeyValue& kv, ByteWriter& out);
KeyValue DecodeKeyValue(ByteReader& in);

}  // namespace quorate::kv

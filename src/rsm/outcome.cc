#include "rsm/outcome.h"

#include "base/bytes.h"
#include "kv/codec.h"
#include "rsm/codec.h"

namespace quorate::rsm {
namespace {

constexpr uint8_t kHasTxn = 1, kHasSession = 2, kHasRcode = 4;

}  // namespace

// result := refused:u8 reason:string store_error:u8 changed:u8 revision:varint serial:u32
// added,removed,changed:varint
//           count:varint current*  has:u8 [txn] [id:u64 lifetime:u64 deadline:u64]
//           [rcode:u16]
std::string EncodeResult(const CommandResult& result) {
  ByteWriter out(64);
  out.U8(static_cast<uint8_t>(result.refused));
  out.String(result.reason);
  out.U8(result.store_error ? static_cast<uint8_t>(*result.store_error) : 0);
  out.U8(result.changed);
  out.Varint(result.revision.value);
  out.U32(result.serial.value);
  out.Varint(result.rrsets_added);
  out.Varint(result.rrsets_removed);
  out.Varint(result.rrsets_changed);
  out.Varint(result.current.size());
  for (const StoredRRset& stored : result.current) {
    codec::PutRRset(out, stored.rrset);
    out.Varint(stored.create_revision.value);
    out.Varint(stored.mod_revision.value);
  }
  const bool has_txn = result.txn.revision.value != 0;
  const bool has_rcode = result.rcode != dns::Rcode::kNoError;
  out.U8((has_txn ? kHasTxn : 0) | (result.session ? kHasSession : 0) | (has_rcode ? kHasRcode : 0));
  if (has_txn) kv::EncodeTxnResponse(result.txn, out);
  if (result.session) {
    out.U64(result.session->id);
    out.U64(static_cast<uint64_t>(result.session->lifetime.count()));
    out.U64(static_cast<uint64_t>(result.session->deadline.count()));
  }
  if (has_rcode) out.U16(static_cast<uint16_t>(result.rcode));
  return out.Take();
}

std::optional<CommandResult> DecodeResult(std::string_view outcome) {
  ByteReader in(outcome);
  CommandResult result;
  const uint8_t refused = in.U8();
  if (refused > static_cast<uint8_t>(Refused::kNoSuchKey)) return std::nullopt;
  result.refused = static_cast<Refused>(refused);
  result.reason = in.String();
  if (const uint8_t error = in.U8()) result.store_error = static_cast<kv::Error>(error);
  result.changed = in.U8() != 0;
  result.revision = Revision{in.Varint()};
  result.serial = dns::Serial{in.U32()};
  result.rrsets_added = static_cast<uint32_t>(in.Varint());
  result.rrsets_removed = static_cast<uint32_t>(in.Varint());
  result.rrsets_changed = static_cast<uint32_t>(in.Varint());
  const size_t n = in.Count();
  for (size_t i = 0; i < n && in.ok(); ++i) {
    StoredRRset stored;
    stored.rrset = codec::GetRRset(in);
    stored.create_revision = Revision{in.Varint()};
    stored.mod_revision = Revision{in.Varint()};
    result.current.push_back(std::move(stored));
  }
  const uint8_t has = in.U8();
  if (has & kHasTxn) {
    std::optional<kv::TxnResponse> txn = kv::DecodeTxnResponse(in);
    if (!txn) return std::nullopt;
    result.txn = std::move(*txn);
  }
  if (has & kHasSession) {
    SessionGrant& grant = result.session.emplace();
    grant.id = in.U64();
    grant.lifetime = Duration(static_cast<int64_t>(in.U64()));
    grant.deadline = Duration(static_cast<int64_t>(in.U64()));
  }
  if (has & kHasRcode) result.rcode = static_cast<dns::Rcode>(in.U16());
  if (!in.AtEnd()) return std::nullopt;
  return result;
}

}  // namespace quorate::rsm

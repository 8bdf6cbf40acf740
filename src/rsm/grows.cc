#include "rsm/grows.h"

#include <algorithm>

#include "base/overloaded.h"

namespace quorate::rsm {
namespace {

bool TxnGrows(const kv::TxnRequest& txn);

// Nested no deeper than limits::kTxnDepthMax: decoding sees to it.
bool OpGrows(const kv::RequestOp& op) {
  return std::visit(
      Overloaded{[](const kv::RangeRequest&) { return false; }, [](const kv::PutRequest&) { return true; },
                 [](const kv::DeleteRangeRequest&) { return false; },
                 [](const std::vector<kv::TxnRequest>& nested) {
                   return std::any_of(nested.begin(), nested.end(), TxnGrows);
                 }},
      op);
}

bool TxnGrows(const kv::TxnRequest& txn) {
  return std::any_of(txn.success.begin(), txn.success.end(), OpGrows) ||
         std::any_of(txn.failure.begin(), txn.failure.end(), OpGrows);
}

bool EditGrows(const zone::RRsetEdit& edit) {
  using Kind = zone::RRsetEdit::Kind;
  return (edit.kind == Kind::kReplace || edit.kind == Kind::kAddRecords) && !edit.rdata.empty();
}

bool UpdateGrows(const zone::Update& update) {
  return std::any_of(update.updates.begin(), update.updates.end(), [](const zone::UpdateRecord& record) {
    return record.rr_class == dns::RRClass::kIN;  // the others delete (RFC 2136 2.5)
  });
}

}  // namespace

bool Grows(const Command& command) {
  return std::visit(
      Overloaded{
          [](const KvTxn& body) { return TxnGrows(body.txn); }, [](const KvCompact&) { return false; },
          [](const ZoneCreate&) { return true; }, [](const ZoneReplace&) { return true; },
          [](const ZoneDelete&) { return false; },
          [](const ZoneChange& body) { return std::any_of(body.edits.begin(), body.edits.end(), EditGrows); },
          [](const Seed&) { return true; }, [](const ZoneSettings&) { return false; },
          [](const SessionOpen&) { return true; }, [](const SessionClose&) { return false; },
          [](const ZoneUpdate& body) { return UpdateGrows(body.update); },
          [](const SecondaryCreate&) { return true; }, [](const ZoneTransferIn&) { return true; },
          [](const ZoneChecked&) { return false; }, [](const TsigKeyPut&) { return true; },
          [](const TsigKeyDelete&) { return false; }, [](const CookieSecretRoll&) { return false; },
          [](const ZoneStage&) { return true; }, [](const ZoneReplaceStaged&) { return true; }},
      command.body);
}

}  // namespace quorate::rsm

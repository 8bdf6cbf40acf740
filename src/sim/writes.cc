#include "sim/writes.h"

#include "base/check.h"
#include "dns/presentation.h"
#include "rsm/command.h"

namespace quorate::sim {
namespace {

dns::RRset MakeRRset(const std::string& owner, dns::RRType type, const std::string& text) {
  return {*dns::Name::FromText(owner), type, 60, {*dns::RdataFromText(type, text)}};
}

kv::TxnRequest Cas(const Write& write) {
  kv::TxnRequest txn = kv::SingleOp(kv::PutRequest{.key = write.key, .value = write.value});
  kv::Compare compare{.range = {write.key, ""}};
  if (write.expected) {
    compare.target = kv::Compare::Target::kValue;
    compare.value = *write.expected;
  }  // else: version 0
  txn.compare.push_back(std::move(compare));
  return txn;
}

rsm::ZoneChange RecordChange(const Write& write) {
  zone::RRsetEdit edit{.owner = *dns::Name::FromText(write.key + ".sim."),
                       .type = dns::RRType::kTXT,
                       .kind = zone::RRsetEdit::Kind::kDelete};
  if (write.kind == Write::Kind::kRecord) {
    edit.kind = zone::RRsetEdit::Kind::kReplace;
    edit.ttl = 60;
    edit.rdata = {*dns::RdataFromText(dns::RRType::kTXT, write.value)};
  }
  return {SimZone(), {std::move(edit)}};
}

decltype(rsm::Command::body) Body(const Write& write) {
  switch (write.kind) {
    case Write::Kind::kPut:
      return rsm::KvTxn{kv::SingleOp(kv::PutRequest{.key = write.key, .value = write.value})};
    case Write::Kind::kDelete:
      return rsm::KvTxn{kv::SingleOp(kv::DeleteRangeRequest{.range = {write.key, ""}})};
    case Write::Kind::kCas:
      return rsm::KvTxn{Cas(write)};
    case Write::Kind::kMakeZone:
      return rsm::ZoneReplace{SimZone(),
                              {MakeRRset("sim.", dns::RRType::kSOA, "ns.sim. host.sim. 1 2 3 4 5"),
                               MakeRRset("sim.", dns::RRType::kNS, "ns.sim."),
                               MakeRRset("ns.sim.", dns::RRType::kA, "192.0.2.1")}};
    case Write::Kind::kRecord:
    case Write::Kind::kRemoveRecord:
      return RecordChange(write);
  }
  CHECK(false);
}

}  // namespace

dns::Name SimZone() { return *dns::Name::FromText("sim."); }

std::string EncodeWrite(const Write& write, const std::string& idempotency_key) {
  return rsm::EncodeCommand({.idempotency_key = idempotency_key, .origin = "sim", .body = Body(write)});
}

testing::Operation OperationOf(const Write& write, int process) {
  testing::Operation operation{.process = process, .kind = testing::OperationKind::kWrite};
  operation.key = HistoryKey(write.of_the_zone(), write.key);
  if (write.deletes()) {
    operation.kind = testing::OperationKind::kDelete;
    return operation;
  }
  operation.value = write.value;
  if (write.kind == Write::Kind::kCas) {
    operation.kind = testing::OperationKind::kCas;
    operation.expected = write.expected;
  }
  return operation;
}

std::string HistoryKey(bool of_the_zone, const std::string& key) {
  return (of_the_zone ? "dns/" : "kv/") + key;
}

}  // namespace quorate::sim

#include "sim/workload.h"

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "dns/presentation.h"
#include "rsm/command.h"
#include "rsm/outcome.h"
#include "rsm/read.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;

constexpr uint64_t kClients = 5, kKeys = 6;

dns::Name SimZone() { return *dns::Name::FromText("sim."); }

dns::RRset MakeRRset(const std::string& owner, dns::RRType type, const std::string& text) {
  return {*dns::Name::FromText(owner), type, 60, {*dns::RdataFromText(type, text)}};
}

decltype(rsm::Command::body) Body(const Write& write) {
  switch (write.kind) {
    case Write::Kind::kPut:
      return rsm::KvTxn{kv::SingleOp(kv::PutRequest{.key = write.key, .value = write.value})};
    case Write::Kind::kMakeZone:
      return rsm::ZoneReplace{SimZone(),
                              {MakeRRset("sim.", dns::RRType::kSOA, "ns.sim. host.sim. 1 2 3 4 5"),
                               MakeRRset("sim.", dns::RRType::kNS, "ns.sim."),
                               MakeRRset("ns.sim.", dns::RRType::kA, "192.0.2.1")}};
    case Write::Kind::kRecord:
      break;
  }
  const dns::RRset rrset = MakeRRset(write.key + ".sim.", dns::RRType::kTXT, write.value);
  return rsm::ZoneChange{
      SimZone(), {{rrset.owner, rrset.type, zone::RRsetEdit::Kind::kReplace, rrset.ttl, rrset.rdata}}};
}

}  // namespace

void Workload::Start() {
  for (uint64_t id = 1; id <= kClients; ++id) {
    clients_.push_back(std::make_unique<Client>(Client{.id = id}));
    Client& client = *clients_.back();
    world_.After(world_.Between(milliseconds(0), milliseconds(50)), [this, &client] { Begin(client); });
  }
}

void Workload::Begin(Client& client) {
  if (finishing_) return;
  ++busy_;
  ++client.operation;
  client.write = world_.rng().Chance(2, 3);
  client.what.kind = zone_made_ && world_.rng().Chance(1, 3) ? Write::Kind::kRecord : Write::Kind::kPut;
  client.what.key = absl::StrCat("key", world_.rng().Below(kKeys));
  client.what.value = absl::StrCat("c", client.id, "-", client.operation);
  if (client.id == 1 && client.operation == 1) {
    client.write = true;
    client.what.kind = Write::Kind::kMakeZone;
  }
  client.floor = checker_.floor();
  Attempt(client);
}

void Workload::Attempt(Client& client) {
  const uint64_t at = world_.rng().Below(replicas_.size());
  SimReplica& replica = *replicas_[at];
  const uint64_t attempt = ++client.attempt;
  // The replica may die and never answer.
  world_.After(milliseconds(1200), [this, &client, attempt] { Again(client, attempt); });
  if (!replica.running()) {
    world_.After(milliseconds(20), [this, &client, attempt] { Again(client, attempt); });
    return;
  }
  if (client.write) {
    Propose(client, replica);
  } else {
    Read(client, replica, MemberId{at + 1});
  }
}

void Workload::Again(Client& client, uint64_t attempt) {
  if (client.attempt == attempt) Attempt(client);
}

void Workload::Done(Client& client) {
  ++client.attempt;  // whatever else is under way for it counts no more
  --busy_;
  world_.After(world_.Between(milliseconds(0), milliseconds(30)), [this, &client] { Begin(client); });
}

void Workload::Propose(Client& client, SimReplica& replica) {
  const auto done = [this, &client, attempt = client.attempt](replica::ProposeOutcome outcome) {
    if (client.attempt != attempt) return;
    const auto* decided = std::get_if<replica::Decided>(&outcome);
    if (!decided) {
      world_.After(world_.Between(milliseconds(1), milliseconds(40)),
                   [this, &client, attempt] { Again(client, attempt); });
      return;
    }
    const auto result = rsm::DecodeResult(decided->outcome);
    CHECK(result.has_value());
    if (result->refused != rsm::Refused::kNot)
      return world_.Fail("outcome", client.what.value + " was refused: " + result->reason);
    world_.Note(0, "acknowledged " + client.what.value, result->revision.value, decided->index.value);
    if (client.what.kind == Write::Kind::kMakeZone) zone_made_ = true;
    checker_.OnAcknowledged(client.what, result->revision, client.floor);
    Done(client);
  };
  const rsm::Command command{
      .idempotency_key = client.what.value, .origin = "sim", .body = Body(client.what)};
  replica.Propose(rsm::EncodeCommand(command), milliseconds(1000), done);
}

void Workload::Read(Client& client, SimReplica& replica, MemberId at) {
  const auto done = [this, &client, &replica, at, attempt = client.attempt](const absl::Status& status) {
    if (client.attempt != attempt) return;
    if (!status.ok()) {
      world_.After(world_.Between(milliseconds(1), milliseconds(40)),
                   [this, &client, attempt] { Again(client, attempt); });
      return;
    }
    const Revision seen = rsm::CurrentRevision(replica.map());
    world_.Note(at.value, "read", seen.value, client.floor.value);
    checker_.OnRead(at, seen, client.floor);
    ++reads_;
    Done(client);
  };
  replica.Read(milliseconds(1000), done);
}

}  // namespace quorate::sim

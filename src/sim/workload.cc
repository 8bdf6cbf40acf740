#include "sim/workload.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/sim_hooks.h"
#include "kv/store.h"
#include "rsm/read.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;
using Kind = Write::Kind;

}  // namespace

void Workload::Start() {
  for (uint64_t id = 1; id <= profile_.clients; ++id) {
    clients_.push_back(std::make_unique<Client>(Client{.id = id}));
    Client& client = *clients_.back();
    world_.After(world_.Between(milliseconds(0), milliseconds(50)), [this, &client] { Begin(client); });
  }
  for (size_t at = 0; at < replicas_.size(); ++at) AskAlso(at);
}

void Workload::AskAlso(size_t at) {
  readers_.push_back(
      std::make_unique<ReaderClient>(ReaderClient{.at = at, .process = 1000 + static_cast<int>(at)}));
  ReaderClient& reader = *readers_.back();
  world_.After(profile_.read_every_max, [this, &reader] { Ask(reader); });
}

// --- those who write ---

void Workload::Begin(Client& client) {
  if (finishing_) return;
  ++busy_;
  ++client.operation;
  Draw(client);
  client.floor = checker_.floor();
  client.call = world_.now();
  Attempt(client);
}

void Workload::Draw(Client& client) {
  Rng& rng = world_.rng();
  client.write = rng.Chance(profile_.writes_percent, 100);
  client.once = rng.Chance(1, 10);
  client.what = {.kind = Kind::kPut,
                 .key = absl::StrCat("key", rng.Below(profile_.keys)),
                 .value = absl::StrCat("c", client.id, "-", client.operation)};
  if (client.id == 1 && client.operation == 1) {
    client.write = true;
    client.once = false;
    client.what.kind = Kind::kMakeZone;
    return;
  }
  const uint64_t draw = rng.Below(20);
  if (zone_made_ && draw < 8) {
    client.what.kind = draw < 1 ? Kind::kRemoveRecord : Kind::kRecord;
  } else if (draw < 11) {
    client.what.kind = Kind::kCas;
    client.what.expected = client.last_seen;
  } else if (draw < 12) {
    client.what.kind = Kind::kDelete;
  }
}

void Workload::Attempt(Client& client) {
  if (!world_.rng().Chance(profile_.sticky_percent, 100)) client.at = world_.rng().Below(replicas_.size());
  SimReplica& replica = *replicas_[client.at];
  const uint64_t attempt = ++client.attempt;
  // The replica may die and never answer.
  world_.After(profile_.call_timeout * 6 / 5, [this, &client, attempt] { Again(client, attempt); });
  if (!replica.running()) {
    world_.After(milliseconds(20), [this, &client, attempt] { Again(client, attempt); });
    return;
  }
  if (client.write) {
    Propose(client, replica);
  } else {
    Read(client, replica);
  }
}

void Workload::Again(Client& client, uint64_t attempt) {
  if (client.attempt != attempt) return;
  if (!client.write || !client.once) return Attempt(client);
  Record(client, testing::Outcome::kUnknown);
  Done(client);
}

void Workload::AgainSoon(Client& client, uint64_t attempt) {
  world_.After(world_.Between(milliseconds(1), milliseconds(40)),
               [this, &client, attempt] { Again(client, attempt); });
}

void Workload::Done(Client& client) {
  ++client.attempt;  // whatever else is under way for it counts no more
  --busy_;
  world_.After(world_.Between(milliseconds(0), profile_.think_max), [this, &client] { Begin(client); });
}

void Workload::Record(Client& client, testing::Outcome outcome) {
  if (client.what.kind == Kind::kMakeZone) return;
  testing::Operation operation = OperationOf(client.what, static_cast<int>(client.id));
  operation.outcome = outcome;
  history_.Add(std::move(operation), client.call);
}

void Workload::Propose(Client& client, SimReplica& replica) {
  replica.Propose(EncodeWrite(client.what, client.once ? "" : client.what.value), profile_.call_timeout,
                  [this, &client, attempt = client.attempt](const replica::ProposeOutcome& outcome) {
                    if (client.attempt == attempt) OnOutcome(client, outcome);
                  });
}

// Whether every replica that may answer by itself has the entry.
bool Workload::HoldersHave(LogIndex index) const {
  return std::ranges::all_of(replicas_, [&](const auto& replica) {
    return !replica->running() || !replica->holds_lease() || replica->core().GetStatus().last >= index;
  });
}

void Workload::OnOutcome(Client& client, const replica::ProposeOutcome& outcome) {
  const auto* decided = std::get_if<replica::Decided>(&outcome);
  if (SIM_MUTANT("gate-only-ack") && decided && !HoldersHave(decided->index)) {
    return world_.After(milliseconds(1), [this, &client, outcome, attempt = client.attempt] {
      if (client.attempt == attempt) OnOutcome(client, outcome);
    });
  }
  if (!decided) {
    SIM_PROBE("sim.workload.outcome-unknown", std::holds_alternative<replica::OutcomeUnknown>(outcome));
    return AgainSoon(client, client.attempt);
  }
  const auto result = rsm::DecodeResult(decided->outcome);
  CHECK(result.has_value());
  if (result->refused != rsm::Refused::kNot)
    return world_.Fail("outcome", client.what.value + " was refused: " + result->reason);
  world_.Note(0, "acknowledged " + client.what.value, result->revision.value, decided->index.value);
  OnResult(client, *result);
  Done(client);
}

void Workload::OnResult(Client& client, const rsm::CommandResult& result) {
  if (client.what.kind == Kind::kMakeZone) zone_made_ = true;
  const bool failed_cas = client.what.kind == Kind::kCas && !result.txn.succeeded;
  SIM_PROBE("sim.workload.cas-failed", failed_cas);
  SIM_PROBE("sim.workload.cas-succeeded", client.what.kind == Kind::kCas && !failed_cas);
  Record(client, failed_cas ? testing::Outcome::kFail : testing::Outcome::kOk);
  if (result.changed) {
    checker_.OnAcknowledged(client.what, result.revision, client.floor);
  } else {  // it compared, or deleted what was not there: at that revision
    checker_.OnRead(MemberId{}, result.revision, client.floor);
  }
  if (!client.what.deletes() && !client.what.of_the_zone() && !failed_cas)
    client.last_seen = client.what.value;
}

// --- those who read ---

void Workload::Read(Client& client, SimReplica& replica) {
  const auto done = [this, &client, &replica, attempt = client.attempt](const absl::Status& status) {
    if (client.attempt != attempt) return;
    if (!status.ok()) return AgainSoon(client, attempt);
    const Revision seen = rsm::CurrentRevision(replica.map());
    world_.Note(replica.id().value, "read", seen.value, client.floor.value);
    checker_.OnRead(replica.id(), seen, client.floor);
    testing::Operation read{.process = static_cast<int>(client.id),
                            .key = HistoryKey(false, client.what.key)};
    if (const auto kv = kv::Get(replica.map(), client.what.key)) read.value = kv->value;
    client.last_seen = read.value;
    history_.Add(std::move(read), client.call);
    ++reads_;
    Done(client);
  };
  replica.Read(profile_.call_timeout, done);
}

void Workload::Ask(ReaderClient& client) {
  if (finishing_) return;
  SimReplica& replica = *replicas_[client.at];
  world_.After(world_.Between(milliseconds(1), profile_.read_every_max), [this, &client] { Ask(client); });
  if (!replica.running()) return;
  testing::Operation read{.process = client.process};
  // However many are under way, each is a process of its own.
  client.process += 100;
  const bool dns = zone_made_ && world_.rng().Chance(1, 2);
  const std::string key = absl::StrCat("key", world_.rng().Below(profile_.keys));
  read.key = HistoryKey(dns, key);
  const auto done = [this, read, call = world_.now()](const ReadAnswer& answer) mutable {
    if (!answer.ok) return;
    ++reads_;
    read.value = answer.value;
    history_.Add(std::move(read), call);
  };
  replica.Ask({dns, key, done});
}

}  // namespace quorate::sim

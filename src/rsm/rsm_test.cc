#include <gtest/gtest.h>

#include "dns/presentation.h"
#include "kv/store.h"
#include "rsm/conditions.h"
#include "rsm/read.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::rsm {
namespace {

using dns::Name;
using dns::RRType;
using Kind = zone::RRsetEdit::Kind;

Name N(const std::string& text) { return *Name::FromText(text); }

dns::RRset Set(const std::string& owner, RRType type, std::vector<std::string> texts, uint32_t ttl = 300) {
  dns::RRset rrset{N(owner), type, ttl, {}};
  for (const std::string& text : texts) rrset.rdata.push_back(*dns::RdataFromText(type, text));
  return rrset;
}

zone::RRsetEdit Edit(Kind kind, const dns::RRset& rrset) {
  return {rrset.owner, rrset.type, kind, rrset.ttl, rrset.rdata};
}

std::vector<dns::RRset> SmallZone(const std::string& apex, uint32_t serial = 1) {
  return {
      Set(apex, RRType::kSOA, {"ns1." + apex + " host." + apex + " " + std::to_string(serial) + " 2 3 4 5"}),
      Set(apex, RRType::kNS, {"ns1." + apex}), Set("ns1." + apex, RRType::kA, {"192.0.2.1"})};
}

// One replica's state, and the commands it was given, so that another can be given the same.
class Rsm : public testing::Test {
 protected:
  Rsm() { state.Reload(); }

  CommandResult Apply(Command command) {
    const std::string payload = StampCommand({group_time, WallTime{}}, EncodeCommand(command));
    return ApplyPayload(payload);
  }
  CommandResult Apply(decltype(Command::body) body) { return Apply(Command{.body = std::move(body)}); }

  CommandResult ApplyPayload(const std::string& payload) {
    payloads.push_back(payload);
    const Outcome outcome = state.Apply({LogIndex{payloads.size()}, Term{1}, true, payload});
    std::optional<CommandResult> result = DecodeResult(outcome);
    EXPECT_TRUE(result.has_value());
    return result.value_or(CommandResult());
  }

  CommandResult Put(const std::string& key, const std::string& value,
                    const std::string& idempotency_key = "") {
    return Apply(Command{.idempotency_key = idempotency_key,
                         .body = KvTxn{kv::SingleOp(kv::PutRequest{.key = key, .value = value})}});
  }
  CommandResult Change(std::vector<zone::RRsetEdit> edits, std::optional<Revision> since = std::nullopt) {
    return Apply(Command{.if_revision = since, .body = ZoneChange{N("example."), std::move(edits)}});
  }
  void MakeZone() {
    ASSERT_EQ(Apply(ZoneCreate{N("example."), SmallZone("example.")}).refused, Refused::kNot);
  }
  kv::OrderedMap& map() { return store.map(); }

  storage::MemoryStateStore store;
  std::shared_ptr<const zone::ZoneSet> published;
  std::vector<kv::Event> events;
  ReplicatedState state{store.map(),
                        {.published = [this](LogIndex, auto zones) { published = std::move(zones); },
                         .store_changed = [this](Revision, const auto& e) { events = e; },
                         .reloaded = nullptr}};
  std::vector<std::string> payloads;
  Duration group_time{1};
};

TEST_F(Rsm, AStoreTransactionTakesEffectAtOneRevision) {
  const CommandResult result = Put("k", "v");
  EXPECT_EQ(result.refused, Refused::kNot);
  EXPECT_EQ(result.revision, Revision{2});
  EXPECT_EQ(kv::Get(map(), "k")->value, "v");
  ASSERT_EQ(events.size(), 1u);
  EXPECT_EQ(events[0].kv.key, "k");
}

TEST_F(Rsm, AZoneIsServedFromTheMomentItsCreationIsApplied) {
  MakeZone();
  const zone::ZonePtr zone = published->Get(N("example.").wire());
  ASSERT_TRUE(zone);
  EXPECT_EQ(zone->serial(), dns::Serial{1});
  EXPECT_EQ(Apply(ZoneCreate{N("example."), SmallZone("example.")}).refused, Refused::kZoneExists);
}

TEST_F(Rsm, AChangeBumpsTheSerialAndIsOneRevision) {
  MakeZone();
  const auto www = Set("www.example.", RRType::kA, {"192.0.2.7"});
  const CommandResult result = Change({Edit(Kind::kReplace, www)});
  EXPECT_EQ(result.refused, Refused::kNot);
  EXPECT_TRUE(result.changed);
  EXPECT_EQ(result.serial, dns::Serial{2});
  EXPECT_EQ(result.revision, Revision{3});
  EXPECT_EQ(GetRRset(map(), Revision{0}, N("example."), N("WWW.example."), RRType::kA)->rrset, www);
  EXPECT_EQ(ZoneRevision(map(), N("example.")), Revision{3});
}

TEST_F(Rsm, ANoOpChangesNeitherSerialNorRevision) {
  MakeZone();
  const auto ns1 = Set("ns1.example.", RRType::kA, {"192.0.2.1"});
  const CommandResult result = Change({Edit(Kind::kReplace, ns1)});
  EXPECT_FALSE(result.changed);
  EXPECT_EQ(result.serial, dns::Serial{1});
  EXPECT_EQ(result.revision, Revision{2});
}

TEST_F(Rsm, ARefusedChangeLeavesNothing) {
  MakeZone();
  const uint64_t revision = CurrentRevision(map()).value;
  const CommandResult result =
      Change({Edit(Kind::kReplace, Set("a.example.", RRType::kA, {"192.0.2.9"})),
              Edit(Kind::kReplace, Set("ns1.example.", RRType::kCNAME, {"a.example."}))});
  EXPECT_EQ(result.refused, Refused::kInvalidZone);
  EXPECT_NE(result.reason.find("ns1.example."), std::string::npos) << result.reason;
  EXPECT_EQ(CurrentRevision(map()).value, revision);
  EXPECT_EQ(published->Get(N("example.").wire())->Find(N("a.example.").wire()), nullptr);
}

TEST_F(Rsm, TheSameKeyAppliesOnceAndGetsTheSameOutcome) {
  const CommandResult first = Put("k", "1", "key-1");
  Put("k", "2");
  const CommandResult again = Put("k", "1", "key-1");
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_EQ(kv::Get(map(), "k")->value, "2") << "the retry must not overwrite what came between";
  EXPECT_EQ(Put("k", "3", "key-1").refused, Refused::kKeyReused);
}

TEST_F(Rsm, ARetryMayComeFromAnotherAddress) {
  Command command{.idempotency_key = "key",
                  .origin = "http 127.0.0.1",
                  .body = KvTxn{kv::SingleOp(kv::PutRequest{.key = "k", .value = "1"})}};
  const CommandResult first = Apply(command);
  command.origin = "http 192.0.2.200";
  const CommandResult again = Apply(command);
  EXPECT_EQ(again.refused, Refused::kNot) << again.reason;
  EXPECT_EQ(again.revision, first.revision);
}

TEST_F(Rsm, AddedRecordsMayKeepTheTtlThatTheRRsetHas) {
  MakeZone();
  Change({Edit(Kind::kReplace, Set("www.example.", RRType::kA, {"192.0.2.7"}, 77))});
  zone::RRsetEdit add = Edit(Kind::kAddRecords, Set("www.example.", RRType::kA, {"192.0.2.8"}, 3600));
  add.keep_ttl = true;
  Change({add});
  const auto stored = GetRRset(map(), Revision{0}, N("example."), N("www.example."), RRType::kA);
  EXPECT_EQ(stored->rrset.ttl, 77u);
  EXPECT_EQ(stored->rrset.rdata.size(), 2u);
  add.owner = N("new.example.");
  Change({add});
  EXPECT_EQ(GetRRset(map(), Revision{0}, N("example."), N("new.example."), RRType::kA)->rrset.ttl, 3600u);
}

TEST_F(Rsm, GroupTimeNeverGoesBack) {
  group_time = std::chrono::hours(2);
  Put("k", "1");
  group_time = std::chrono::hours(1);
  Put("k", "2");
  EXPECT_EQ(state.group_time(), std::chrono::hours(2));
}

TEST_F(Rsm, AConditionSeesChangesDeletionsAndRecreations) {
  MakeZone();
  const auto www = Set("www.example.", RRType::kA, {"192.0.2.7"});
  const auto other = Set("www.example.", RRType::kA, {"192.0.2.8"});
  const Revision made = Change({Edit(Kind::kReplace, www)}, Revision{0}).revision;
  EXPECT_EQ(Change({Edit(Kind::kReplace, other)}, Revision{0}).refused, Refused::kConflict)
      << "it exists now";
  Change({Edit(Kind::kReplace, Set("unrelated.example.", RRType::kA, {"192.0.2.1"}))});
  EXPECT_EQ(Change({Edit(Kind::kReplace, other)}, made).refused, Refused::kNot) << "others do not matter";
  const CommandResult stale = Change({Edit(Kind::kReplace, www)}, made);
  EXPECT_EQ(stale.refused, Refused::kConflict);
  ASSERT_EQ(stale.current.size(), 1u);
  EXPECT_EQ(stale.current[0].rrset, other);
  const Revision before = CurrentRevision(map());
  Change({Edit(Kind::kDelete, other)});
  Change({Edit(Kind::kReplace, other)});
  EXPECT_EQ(Change({Edit(Kind::kReplace, www)}, before).refused, Refused::kConflict) << "made anew since";
}

TEST_F(Rsm, AStaleImportIsRefusedByItsCondition) {
  MakeZone();
  const Revision read = ZoneRevision(map(), N("example."));
  Change({Edit(Kind::kReplace, Set("www.example.", RRType::kA, {"192.0.2.7"}))});
  const CommandResult result =
      Apply(Command{.if_revision = read, .body = ZoneReplace{N("example."), SmallZone("example.", 9)}});
  EXPECT_EQ(result.refused, Refused::kConflict);
}

TEST_F(Rsm, AnImportReplacesTheWholeZone) {
  MakeZone();
  Change({Edit(Kind::kReplace, Set("www.example.", RRType::kA, {"192.0.2.7"}))});
  const CommandResult result = Apply(ZoneReplace{N("example."), SmallZone("example.", 9)});
  EXPECT_EQ(result.serial, dns::Serial{9});
  EXPECT_EQ(result.rrsets_removed, 1u);
  EXPECT_FALSE(GetRRset(map(), Revision{0}, N("example."), N("www.example."), RRType::kA));
}

TEST_F(Rsm, ADeletedZoneIsGoneAndItsNeighbourBelowStays) {
  MakeZone();
  Apply(ZoneCreate{N("sub.example."), SmallZone("sub.example.")});
  EXPECT_EQ(Apply(ZoneDelete{N("example.")}).rrsets_removed, 3u);
  EXPECT_FALSE(published->Get(N("example.").wire()));
  EXPECT_TRUE(published->Get(N("sub.example.").wire()));
  EXPECT_EQ(Apply(ZoneDelete{N("example.")}).refused, Refused::kNoSuchZone);
}

TEST_F(Rsm, ClientsOfTheStoreCannotWriteRecords) {
  EXPECT_EQ(Put("/dns/example./ A", "x").refused, Refused::kReserved);
  const auto remove = [](std::string key, std::string end) {
    return KvTxn{kv::SingleOp(kv::DeleteRangeRequest{.range = {std::move(key), std::move(end)}})};
  };
  EXPECT_EQ(Apply(remove("/a", "/z")).refused, Refused::kReserved) << "the range runs over it";
  EXPECT_EQ(Apply(remove(std::string(1, '\0'), std::string(1, '\0'))).refused, Refused::kReserved);
  EXPECT_EQ(Apply(remove("/dns0", "/dnt")).refused, Refused::kNot);
}

TEST_F(Rsm, ASeedTakesEffectOnceAndKeepsWhatIsThere) {
  Put("k", "early");
  Apply(ZoneCreate{N("a."), SmallZone("a.", 77)});
  const Seed seed{{{N("a."), SmallZone("a.")}, {N("b.a."), SmallZone("b.a.")}}};
  EXPECT_EQ(Apply(seed).refused, Refused::kNot);
  EXPECT_EQ(published->size(), 2u);
  EXPECT_EQ(published->Get(N("a.").wire())->serial(), dns::Serial{77});
  EXPECT_EQ(CurrentRevision(map()), Revision{4}) << "all of it is one revision";
  Apply(ZoneDelete{N("b.a.")});
  EXPECT_EQ(Apply(seed).refused, Refused::kSeeded);
  EXPECT_EQ(published->size(), 1u) << "what was deleted stays so";
}

TEST_F(Rsm, MalformedCommandsAreRefusedAlike) {
  EXPECT_EQ(ApplyPayload("short").refused, Refused::kMalformed);
  EXPECT_EQ(ApplyPayload(StampCommand({}, "\x7f")).refused, Refused::kMalformed);
  const std::string good = EncodeCommand({.body = ZoneCreate{N("example."), SmallZone("example.")}});
  for (size_t cut = 0; cut < good.size(); ++cut) {
    EXPECT_EQ(ApplyPayload(StampCommand({}, good.substr(0, cut))).refused, Refused::kMalformed) << cut;
  }
}

std::string Setting(const std::string& consistency) { return "consistency=" + consistency; }
zone::Settings Consistent(const char* consistency) { return {.consistency = *ParseConsistency(consistency)}; }

TEST_F(Rsm, SettingsOfAZoneAreReadableInTheStoreAndPublished) {
  MakeZone();
  const Revision read = ZoneRevision(map(), N("example."));
  const CommandResult set = Apply(ZoneSettings{N("EXAMPLE."), Setting("bounded=5s")});
  EXPECT_EQ(set.refused, Refused::kNot);
  EXPECT_TRUE(set.changed);
  EXPECT_EQ(set.serial, dns::Serial{1}) << "no record changed";
  EXPECT_EQ(kv::Get(map(), "/quorate/zones/example.")->value, "consistency=bounded=5s");
  EXPECT_EQ(published->SettingsOf(*published->Get(N("example.").wire())), Consistent("bounded=5s"));
  EXPECT_EQ(GetZoneSettings(map(), Revision{0}, N("example.")), Consistent("bounded=5s"));
  EXPECT_EQ(GetZoneSettings(map(), read, N("example.")), zone::Settings());
  EXPECT_EQ(ZoneRevision(map(), N("example.")), set.revision);
  EXPECT_FALSE(Apply(ZoneSettings{N("example."), Setting("bounded=5s")}).changed);
  EXPECT_TRUE(Apply(ZoneSettings{N("example."), "consistency=linearizable"}).changed);
  EXPECT_FALSE(kv::Get(map(), "/quorate/zones/example.")) << "the defaults have no key";
  EXPECT_EQ(published->SettingsOf(*published->Get(N("example.").wire())), zone::Settings());
}

TEST_F(Rsm, SettingsStayWhenTheZoneIsReplacedAndGoWhenItIsDeleted) {
  MakeZone();
  Apply(ZoneSettings{N("example."), Setting("local")});
  Change({Edit(Kind::kReplace, Set("www.example.", RRType::kA, {"192.0.2.7"}))});
  Apply(ZoneReplace{N("example."), SmallZone("example.", 9)});
  EXPECT_EQ(published->SettingsOf(*published->Get(N("example.").wire())), Consistent("local"));
  EXPECT_EQ(GetZoneSettings(map(), Revision{0}, N("example.")), Consistent("local"));
  Apply(ZoneDelete{N("example.")});
  EXPECT_FALSE(kv::Get(map(), "/quorate/zones/example."));
  MakeZone();
  EXPECT_EQ(published->SettingsOf(*published->Get(N("example.").wire())), zone::Settings());
}

TEST_F(Rsm, SettingsAreThereAgainAfterAReload) {
  MakeZone();
  ASSERT_EQ(Apply(ZoneCreate{N("b.example."), SmallZone("b.example.")}).refused, Refused::kNot);
  Apply(ZoneSettings{N("example."), Setting("bounded=7s")});
  state.Reload();  // a restart, or a snapshot put in the place of the state
  EXPECT_EQ(published->SettingsOf(*published->Get(N("example.").wire())), Consistent("bounded=7s"));
  EXPECT_EQ(published->SettingsOf(*published->Get(N("b.example.").wire())), zone::Settings());
}

TEST_F(Rsm, SettingsAreRefusedWithoutTheZoneAgainstTheConditionAndFromTheStore) {
  EXPECT_EQ(Apply(ZoneSettings{N("example."), Setting("local")}).refused, Refused::kNoSuchZone);
  MakeZone();
  const Revision read = ZoneRevision(map(), N("example."));
  const auto set = [&](const char* consistency) {
    return Apply(Command{.if_revision = read, .body = ZoneSettings{N("example."), Setting(consistency)}});
  };
  EXPECT_EQ(set("local").refused, Refused::kNot);
  EXPECT_EQ(set("bounded=5s").refused, Refused::kConflict) << "the settings themselves changed meanwhile";
  EXPECT_EQ(Put("/quorate/zones/example.", "consistency=local").refused, Refused::kReserved);
}

TEST_F(Rsm, TheObserverHearsOfEachIndexOnce) {
  std::vector<uint64_t> heard;
  storage::MemoryStateStore other_store;
  ReplicatedState other(other_store.map(),
                        {.published = [&](LogIndex applied, const auto&) { heard.push_back(applied.value); },
                         .store_changed = nullptr,
                         .reloaded = nullptr});
  other.Reload();
  other.Apply({LogIndex{1}, Term{1}, false, ""});
  other.Apply({LogIndex{2}, Term{1}, true, "malformed"});
  EXPECT_EQ(heard, (std::vector<uint64_t>{0, 1, 2}));
}

TEST_F(Rsm, ReplicasWithTheSameLogAreEqualAlsoAfterARestart) {
  MakeZone();
  Apply(ZoneSettings{N("example."), Setting("local")});
  Put("k", "1", "key");
  Change({Edit(Kind::kAddRecords, Set("www.example.", RRType::kA, {"192.0.2.7"}))});
  for (int i = 0; i < 400; ++i) Put("k" + std::to_string(i % 7), std::to_string(i));
  Apply(KvCompact{Revision{300}});
  for (int i = 0; i < 10; ++i) Put("k", std::to_string(i));

  storage::MemoryStateStore other_store;
  auto other = std::make_unique<ReplicatedState>(other_store.map(), Observer{});
  other->Reload();
  for (size_t i = 0; i < payloads.size(); ++i) {
    if (i % 100 == 50) {  // a restart: all it knows is in the map
      other = std::make_unique<ReplicatedState>(other_store.map(), Observer{});
      other->Reload();
    }
    other->Apply({LogIndex{i + 1}, Term{1}, true, payloads[i]});
  }
  EXPECT_EQ(other->state_hash(), state.state_hash());
  EXPECT_EQ(other->applied_index(), state.applied_index());
  const zone::ZonePtr zone = other->zones()->Get(N("example.").wire());
  EXPECT_EQ(zone->serial(), dns::Serial{2});
  EXPECT_EQ(other->zones()->SettingsOf(*zone), Consistent("local"));

  const auto a = map().NewIterator(), b = other_store.map().NewIterator();
  a->Seek(""), b->Seek("");
  for (; a->Valid() && b->Valid(); a->Next(), b->Next()) {
    ASSERT_EQ(a->key(), b->key());
    ASSERT_EQ(a->value(), b->value());
  }
  EXPECT_EQ(a->Valid(), b->Valid());
}

TEST_F(Rsm, AnEntryThatIsNoCommandMovesOnlyTheIndex) {
  EXPECT_TRUE(state.Apply({LogIndex{1}, Term{3}, false, ""}).empty());
  EXPECT_EQ(state.applied_index(), LogIndex{1});
  EXPECT_EQ(state.applied_term(), Term{3});
  EXPECT_EQ(CurrentRevision(map()), Revision{1});
}

TEST_F(Rsm, RecordsOfAZoneComeInCanonicalOrder) {
  MakeZone();
  Change({Edit(Kind::kReplace, Set("z.example.", RRType::kA, {"192.0.2.1"})),
          Edit(Kind::kReplace, Set("a.z.example.", RRType::kA, {"192.0.2.1"})),
          Edit(Kind::kReplace, Set("b.example.", RRType::kA, {"192.0.2.1"}))});
  std::vector<std::string> owners;
  ForEachRRset(map(), Revision{0}, N("example."), [&](const StoredRRset& stored) {
    if (owners.empty() || owners.back() != stored.rrset.owner.ToText())
      owners.push_back(stored.rrset.owner.ToText());
    return true;
  });
  EXPECT_EQ(owners, (std::vector<std::string>{"example.", "b.example.", "ns1.example.", "z.example.",
                                              "a.z.example."}));
}

}  // namespace
}  // namespace quorate::rsm

// The commands of version 3, on one replica's state: UPDATE, secondaries, keys, cookies, imports in pieces.
#include <gtest/gtest.h>

#include "dns/presentation.h"
#include "rsm/read.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::rsm {
namespace {

using dns::Name;
using dns::Rcode;
using dns::RRClass;
using dns::RRType;
using std::chrono::minutes;

Name N(const std::string& text) { return *Name::FromText(text); }

dns::RRset Set(const std::string& owner, RRType type, const std::string& text, uint32_t ttl = 300) {
  return {N(owner), type, ttl, {*dns::RdataFromText(type, text)}};
}

std::vector<dns::RRset> SmallZone(uint32_t serial) {
  return {Set("example.", RRType::kSOA, "ns1.example. host.example. " + std::to_string(serial) + " 2 3 4 5"),
          Set("example.", RRType::kNS, "ns1.example."), Set("ns1.example.", RRType::kA, "192.0.2.1")};
}

zone::UpdateRecord Add(const std::string& owner, RRType type, const std::string& text) {
  return {N(owner), type, RRClass::kIN, 60, *dns::RdataFromText(type, text)};
}

zone::TsigKey Key(const std::string& name, std::vector<std::string> grants = {}) {
  zone::TsigKey key{.name = N(name), .secret = "0123456789abcdef"};
  for (const std::string& grant : grants) key.grants.push_back(*zone::GrantFromText(grant));
  return key;
}

class DnsCommands : public testing::Test {
 protected:
  DnsCommands() { state->Reload(); }

  CommandResult Apply(decltype(Command::body) body) {
    const Command command{.body = std::move(body)};
    const std::string encoded = EncodeCommand(command);
    const auto decoded = DecodeCommand(encoded);
    EXPECT_TRUE(decoded.ok());
    if (decoded.ok()) {
      EXPECT_EQ(EncodeCommand(*decoded), encoded);
    }
    EXPECT_EQ(FeatureLevelFor(encoded) > 1, encoded[0] == 3);
    const std::string payload = StampCommand({now, wall}, encoded);
    auto result = DecodeResult(state->Apply({LogIndex{++index}, Term{1}, true, payload}));
    EXPECT_TRUE(result.has_value());
    return result.value_or(CommandResult());
  }
  CommandResult Update(std::vector<zone::UpdateRecord> updates, const std::string& key = "",
                       const std::string& identity = "") {
    ZoneUpdate update{.apex = N("example."), .update = {.prerequisites = {}, .updates = std::move(updates)}};
    if (!key.empty()) update.key = N(key);
    update.identity = identity;
    update.remembered = minutes(10);
    return Apply(update);
  }
  zone::ZonePtr Zone() { return state->zones()->Get(N("example.").wire()); }
  const zone::Settings& SettingsNow() { return state->zones()->SettingsOf(*Zone()); }
  bool Has(const std::string& owner) { return Zone()->Find(N(owner).wire()) != nullptr; }
  // The same from the map alone.
  void ExpectSameAfterRestart() {
    ReplicatedState other(store.map(), Observer{});
    other.Reload();
    EXPECT_EQ(other.state_hash(), state->state_hash());
    EXPECT_EQ(other.zones()->keyring(), state->zones()->keyring());
    ASSERT_EQ(other.zones()->size(), state->zones()->size());
    for (const zone::ZonePtr& zone : state->zones()->All()) {
      const zone::ZonePtr again = other.zones()->Get(zone->apex().wire());
      ASSERT_NE(again, nullptr);
      EXPECT_TRUE(zone::Diff(zone.get(), again.get()).empty());
      EXPECT_EQ(other.zones()->SettingsOf(*again), state->zones()->SettingsOf(*zone));
    }
  }

  storage::MemoryStateStore store;
  std::unique_ptr<ReplicatedState> state = std::make_unique<ReplicatedState>(store.map(), Observer{});
  uint64_t index = 0;
  Duration now = std::chrono::hours(5);
  WallTime wall{std::chrono::hours(24) * 20000};  // 2024-10-04
};

TEST_F(DnsCommands, AnUpdateNeedsAKeyThatIsThereWhenItIsApplied) {
  Apply(ZoneCreate{N("example."), SmallZone(1)});
  const auto update = [&](const char* key) {
    return Update({Add("www.example.", RRType::kA, "192.0.2.2")}, key).rcode;
  };
  EXPECT_EQ(update(""), Rcode::kRefused);
  EXPECT_EQ(update("ddns."), Rcode::kRefused);
  EXPECT_FALSE(Has("www.example."));
  EXPECT_TRUE(Apply(TsigKeyPut{Key("ddns.")}).changed);
  EXPECT_EQ(update("ddns."), Rcode::kNoError);
  EXPECT_TRUE(Has("www.example."));
  EXPECT_EQ(Zone()->serial().value, 2u);
  Apply(TsigKeyDelete{N("DDNS.")});
  EXPECT_EQ(update("ddns."), Rcode::kRefused);
  ExpectSameAfterRestart();
}

TEST_F(DnsCommands, AKeyMayOnlyWhatItsGrantsSay) {
  Apply(ZoneCreate{N("example."), SmallZone(1)});
  Apply(TsigKeyPut{Key("acme.", {"subtree _acme-challenge.example. TXT", "name host.example. A AAAA"})});
  const auto rcode = [&](const char* owner, RRType type, const char* text) {
    return Update({Add(owner, type, text)}, "acme.").rcode;
  };
  EXPECT_EQ(rcode("_acme-challenge.example.", RRType::kTXT, "a"), Rcode::kNoError);
  EXPECT_EQ(rcode("x._ACME-challenge.example.", RRType::kTXT, "a"), Rcode::kNoError);
  EXPECT_EQ(rcode("_acme-challenge.example.", RRType::kA, "192.0.2.1"), Rcode::kRefused);
  EXPECT_EQ(rcode("host.example.", RRType::kAAAA, "2001:db8::1"), Rcode::kNoError);
  EXPECT_EQ(rcode("x.host.example.", RRType::kA, "192.0.2.1"), Rcode::kRefused);
  const auto delete_all = [&](const char* owner) {
    return Update({{N(owner), RRType::kANY, RRClass::kANY, 0, ""}}, "acme.").rcode;
  };
  EXPECT_EQ(delete_all("host.example."), Rcode::kRefused);  // its types are not all types
  Apply(ZoneSettings{N("example."), "update=net:192.0.2.0/24+key:acme."});
  EXPECT_EQ(rcode("_acme-challenge.example.", RRType::kTXT, "b"), Rcode::kRefused);  // from another network
}

TEST_F(DnsCommands, ASignedUpdateSentAgainIsAppliedOnceAndAnsweredAlike) {
  Apply(ZoneCreate{N("example."), SmallZone(1)});
  Apply(TsigKeyPut{Key("ddns.")});
  const auto first = Update({Add("www.example.", RRType::kA, "192.0.2.2")}, "ddns.", "identity-1");
  Update({{N("www.example."), RRType::kA, RRClass::kANY, 0, ""}}, "ddns.", "identity-2");
  const auto again = Update({Add("www.example.", RRType::kA, "192.0.2.2")}, "ddns.", "identity-1");
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_FALSE(Has("www.example."));
  // A refusal is an outcome too.
  EXPECT_EQ(Update({Add("www.other.", RRType::kA, "192.0.2.2")}, "ddns.", "identity-3").rcode,
            Rcode::kNotZone);
  EXPECT_EQ(Update({Add("www.example.", RRType::kA, "192.0.2.2")}, "ddns.", "identity-3").rcode,
            Rcode::kNotZone);
  now += minutes(11);
  Update({}, "ddns.", "identity-4");
  const auto it = store.map().NewIterator();
  size_t kept = 0;
  for (it->Seek("u"); it->Valid() && it->key().starts_with('u'); it->Next()) ++kept;
  EXPECT_EQ(kept, 1u);
  ExpectSameAfterRestart();
}

TEST_F(DnsCommands, TheSerialFollowsTheZonesPolicy) {
  Apply(ZoneCreate{N("example."), SmallZone(1)});
  Apply(TsigKeyPut{Key("ddns.")});
  Apply(ZoneSettings{N("example."), "serial=dateserial"});
  Update({Add("a.example.", RRType::kA, "192.0.2.2")}, "ddns.");
  EXPECT_EQ(Zone()->serial().value, 2024100400u);
  Apply(ZoneChange{
      N("example."),
      {{N("b.example."), RRType::kA, zone::RRsetEdit::Kind::kReplace, 60, {std::string(4, '\1')}}}});
  EXPECT_EQ(Zone()->serial().value, 2024100401u);
  wall = WallTime{std::chrono::hours(24) * 20001};
  Apply(ZoneReplace{N("example."), SmallZone(1)});
  EXPECT_EQ(Zone()->serial().value, 2024100500u);
}

TEST_F(DnsCommands, ASecondaryZoneIsWhatItsPrimarySaysAndNothingElse) {
  EXPECT_EQ(Apply(SecondaryCreate{N("example."), "query=any"}).refused, Refused::kInvalidZone);
  ASSERT_EQ(Apply(SecondaryCreate{N("example."), "primaries=192.0.2.9@5353+key:xfr."}).refused,
            Refused::kNot);
  EXPECT_FALSE(SettingsNow().is_servable());
  ExpectSameAfterRestart();
  // Nothing to stand on yet.
  EXPECT_EQ(Apply(ZoneSettings{N("example."), "primaries=none"}).refused, Refused::kInvalidZone);
  EXPECT_EQ(Apply(ZoneTransferIn{N("example."), dns::Serial{0}, {}, {}}).refused, Refused::kConflict);

  now += minutes(1);
  ASSERT_EQ(Apply(ZoneTransferIn{N("example."), std::nullopt, SmallZone(70), {}}).refused, Refused::kNot);
  EXPECT_EQ(Zone()->serial().value, 70u);
  EXPECT_TRUE(SettingsNow().is_servable());
  EXPECT_EQ(SettingsNow().checked_at, now);

  using Kind = zone::RRsetEdit::Kind;
  const dns::RRset soa = SmallZone(75)[0], host = Set("www.example.", RRType::kA, "192.0.2.3");
  const std::vector<zone::RRsetEdit> edits = {
      {soa.owner, soa.type, Kind::kReplace, soa.ttl, soa.rdata},
      {host.owner, host.type, Kind::kAddRecords, host.ttl, host.rdata}};
  EXPECT_EQ(Apply(ZoneTransferIn{N("example."), dns::Serial{69}, {}, edits}).refused, Refused::kConflict);
  ASSERT_EQ(Apply(ZoneTransferIn{N("example."), dns::Serial{70}, {}, edits}).refused, Refused::kNot);
  EXPECT_EQ(Zone()->serial().value, 75u);
  EXPECT_TRUE(Has("www.example."));

  EXPECT_EQ(Apply(ZoneChange{N("example."), {}}).refused, Refused::kSecondaryZone);
  EXPECT_EQ(Apply(ZoneReplace{N("example."), SmallZone(99)}).refused, Refused::kSecondaryZone);
  Apply(TsigKeyPut{Key("ddns.")});
  EXPECT_EQ(Update({Add("a.example.", RRType::kA, "192.0.2.2")}, "ddns.").rcode, Rcode::kRefused);

  Apply(ZoneChecked{N("example."), dns::Serial{75}, true});
  EXPECT_EQ(SettingsNow().state, zone::SecondaryState::kExpired);
  now += minutes(1);
  Apply(ZoneChecked{N("example."), dns::Serial{74}, false});  // of a version that is gone
  EXPECT_FALSE(SettingsNow().is_servable());
  Apply(ZoneChecked{N("example."), dns::Serial{75}, false});
  EXPECT_TRUE(SettingsNow().is_servable());
  EXPECT_EQ(SettingsNow().checked_at, now);
  ExpectSameAfterRestart();

  ASSERT_EQ(Apply(ZoneSettings{N("example."), "primaries=none"}).refused, Refused::kNot);
  EXPECT_EQ(Update({Add("a.example.", RRType::kA, "192.0.2.2")}, "ddns.").rcode, Rcode::kNoError);
  EXPECT_EQ(Zone()->serial().value, 76u);
  EXPECT_EQ(Apply(ZoneTransferIn{N("example."), std::nullopt, SmallZone(99), {}}).refused,
            Refused::kConflict);
}

TEST_F(DnsCommands, KeysAreMadeReplacedAndDeletedAndNeverInTheStore) {
  EXPECT_TRUE(Apply(TsigKeyPut{Key("k.")}).changed);
  EXPECT_FALSE(Apply(TsigKeyPut{Key("k."), true}).changed);
  zone::TsigKey other = Key("k.");
  other.secret = "fedcba98765432100";
  EXPECT_EQ(Apply(TsigKeyPut{other}).refused, Refused::kKeyExists);
  EXPECT_TRUE(Apply(TsigKeyPut{other, true}).changed);
  EXPECT_EQ(state->zones()->keyring().Find(N("K."))->secret, other.secret);
  const auto all = kv::Range(store.map(), {.range = {std::string(1, '\0'), std::string(1, '\0')}});
  ASSERT_TRUE(all.ok());
  for (const auto& kv : all->kvs) EXPECT_EQ(kv.value.find(other.secret), std::string::npos) << kv.key;
  ExpectSameAfterRestart();
  EXPECT_EQ(Apply(TsigKeyDelete{N("k.")}).refused, Refused::kNot);
  EXPECT_EQ(Apply(TsigKeyDelete{N("k.")}).refused, Refused::kNoSuchKey);
  ExpectSameAfterRestart();
}

TEST_F(DnsCommands, CookieSecretsRollOneAtATime) {
  const auto secret = [](uint8_t byte) {
    zone::CookieSecret out;
    out.fill(byte);
    return out;
  };
  EXPECT_TRUE(Apply(CookieSecretRoll{0, secret(1)}).changed);
  EXPECT_FALSE(Apply(CookieSecretRoll{0, secret(9)}).changed);
  Apply(CookieSecretRoll{1, secret(2)});
  Apply(CookieSecretRoll{2, secret(3)});
  const zone::CookieSecrets expected{3, now, secret(1), secret(2), secret(3)};
  EXPECT_EQ(state->zones()->keyring().cookies, expected);
  ExpectSameAfterRestart();
}

TEST_F(DnsCommands, AnImportInPiecesTakesEffectAtOnce) {
  std::vector<dns::RRset> first = SmallZone(5);
  ASSERT_EQ(Apply(ZoneStage{"upload", 0, first}).refused, Refused::kNot);
  ASSERT_EQ(Apply(ZoneStage{"upload", 1, {Set("b.example.", RRType::kA, "192.0.2.2")}}).refused,
            Refused::kNot);
  ASSERT_EQ(Apply(ZoneStage{"upload", 1, {Set("b.example.", RRType::kA, "192.0.2.3")}}).refused,
            Refused::kNot);
  EXPECT_EQ(state->zones()->size(), 0u);
  EXPECT_EQ(Apply(ZoneReplaceStaged{N("example."), "upload", 3}).refused, Refused::kUnknown);
  const Revision before = CurrentRevision(store.map());
  const auto made = Apply(ZoneReplaceStaged{N("example."), "upload", 2});
  ASSERT_EQ(made.refused, Refused::kNot) << made.reason;
  EXPECT_EQ(made.revision.value, before.value + 1);
  EXPECT_EQ(Zone()->record_count(), 4u);
  EXPECT_EQ(Apply(ZoneReplaceStaged{N("example."), "upload", 2}).refused, Refused::kUnknown);
  ExpectSameAfterRestart();
}

TEST_F(DnsCommands, UnfinishedImportsAreBoundedAndGoWithTime) {
  for (size_t i = 0; i < limits::kStagesMax; ++i)
    ASSERT_EQ(Apply(ZoneStage{"upload" + std::to_string(i), 0, SmallZone(5)}).refused, Refused::kNot);
  EXPECT_EQ(Apply(ZoneStage{"one more", 0, SmallZone(5)}).refused, Refused::kTableFull);
  now += kStageLifetime + minutes(1);
  EXPECT_EQ(Apply(ZoneStage{"one more", 0, SmallZone(5)}).refused, Refused::kNot);
  for (size_t i = 0; i < limits::kStagesMax; ++i) Apply(ZoneStage{"one more", 1, {}});
  const auto it = store.map().NewIterator();
  size_t kept = 0;
  for (it->Seek("p"); it->Valid() && it->key().starts_with('p'); it->Next()) ++kept;
  EXPECT_EQ(kept, 3u);  // the head and two pieces
}

}  // namespace
}  // namespace quorate::rsm

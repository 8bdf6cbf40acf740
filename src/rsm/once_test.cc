// Exactly once: idempotency keys and client sessions, by group time, with small bounds.
#include <gtest/gtest.h>

#include "kv/store.h"
#include "rsm/idempotency_keys.h"
#include "rsm/replicated_state.h"
#include "storage/memory/memory_state_store.h"

namespace quorate::rsm {
namespace {

using std::chrono::hours;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr once::Bounds kBounds{.keys = 4, .sessions = 3, .outcomes_per_session = 4, .bytes = 100000};

class Once : public testing::Test {
 protected:
  Once() { state->Reload(); }

  CommandResult Apply(const Command& command) {
    payloads.push_back(StampCommand({now, WallTime{}}, EncodeCommand(command)));
    auto result = DecodeResult(state->Apply({LogIndex{payloads.size()}, Term{1}, true, payloads.back()}));
    EXPECT_TRUE(result.has_value());
    return result.value_or(CommandResult());
  }
  static KvTxn Add(const std::string& value) {
    return KvTxn{kv::SingleOp(kv::PutRequest{.key = "k", .value = value})};
  }
  CommandResult Keyed(const std::string& key, const std::string& value = "v") {
    return Apply({.idempotency_key = key, .body = Add(value)});
  }
  CommandResult InSession(uint64_t id, uint64_t sequence, uint64_t oldest = 0,
                          const std::string& value = "v") {
    return Apply({.session = SessionRequest{id, sequence, oldest}, .body = Add(value)});
  }
  uint64_t Open(Duration lifetime = seconds(60)) {
    const CommandResult result = Apply({.body = SessionOpen{lifetime}});
    EXPECT_EQ(result.refused, Refused::kNot) << result.reason;
    return result.session ? result.session->id : 0;
  }
  // How often `k` was written.
  uint64_t Writes() { return kv::Get(store.map(), "k") ? kv::Get(store.map(), "k")->version : 0; }
  size_t KeysUnder(char prefix) {
    size_t n = 0;
    const auto it = store.map().NewIterator();
    for (it->Seek(std::string(1, prefix)); it->Valid() && it->key()[0] == prefix; it->Next()) ++n;
    return n;
  }
  void Restart() {
    state = std::make_unique<ReplicatedState>(store.map(), Observer{}, kBounds);
    state->Reload();
  }

  storage::MemoryStateStore store;
  std::unique_ptr<ReplicatedState> state =
      std::make_unique<ReplicatedState>(store.map(), Observer{}, kBounds);
  std::vector<std::string> payloads;
  Duration now = hours(100);
};

TEST_F(Once, ARequestOfASessionIsAppliedOnceHoweverOftenItComes) {
  const uint64_t id = Open();
  const CommandResult first = InSession(id, 1);
  EXPECT_EQ(first.refused, Refused::kNot);
  const CommandResult again = InSession(id, 1);
  EXPECT_EQ(again.revision, first.revision);
  EXPECT_EQ(again.txn.revision, first.txn.revision);
  InSession(id, 2);
  EXPECT_EQ(InSession(id, 1).revision, first.revision);
  EXPECT_EQ(Writes(), 2u);
}

TEST_F(Once, TheIdOfASessionIsTheIndexOfItsEntryAndItsDeadlineIsInGroupTime) {
  Keyed("x");
  const CommandResult result = Apply({.body = SessionOpen{seconds(60)}});
  ASSERT_TRUE(result.session);
  EXPECT_EQ(result.session->id, 2u);
  EXPECT_EQ(result.session->deadline, now + seconds(60));
  EXPECT_EQ(Apply({.body = SessionOpen{Duration(-5)}}).session->lifetime, kClientSessionLifetimeMin);
  EXPECT_EQ(Apply({.body = SessionOpen{Duration::max()}}).session->lifetime, kClientSessionLifetimeMax);
}

TEST_F(Once, ASequenceUsedForAnotherRequestIsRefused) {
  const uint64_t id = Open();
  InSession(id, 1, 0, "a");
  EXPECT_EQ(InSession(id, 1, 0, "b").refused, Refused::kKeyReused);
  EXPECT_EQ(kv::Get(store.map(), "k")->value, "a");
}

TEST_F(Once, ARetryMayKnowOfMoreAnswersThanTheFirstTry) {
  const uint64_t id = Open();
  InSession(id, 1), InSession(id, 2);
  const CommandResult first = InSession(id, 3, 1);
  EXPECT_EQ(InSession(id, 3, 3).revision, first.revision);
  EXPECT_EQ(KeysUnder('o'), 1u) << "what is answered is forgotten";
}

TEST_F(Once, WhatTheClientSaidItHasIsUnknownAfterwards) {
  const uint64_t id = Open();
  InSession(id, 1);
  InSession(id, 2, 2);
  EXPECT_EQ(InSession(id, 1).refused, Refused::kUnknown);
  EXPECT_EQ(Writes(), 2u);
}

TEST_F(Once, AnUnknownSessionIsNeverMadeByARetry) {
  EXPECT_EQ(InSession(77, 1).refused, Refused::kUnknown);
  EXPECT_EQ(Writes(), 0u);
  EXPECT_EQ(KeysUnder('c'), 0u);
  EXPECT_EQ(KeysUnder('o'), 0u);
}

TEST_F(Once, ASessionEndsByGroupTimeOnly) {
  const uint64_t id = Open(seconds(60));
  now += seconds(60);
  EXPECT_EQ(InSession(id, 1).refused, Refused::kNot) << "the deadline itself is still in time";
  now += seconds(60);
  EXPECT_EQ(InSession(id, 1).refused, Refused::kNot) << "every request moved it";
  now += seconds(61);
  EXPECT_EQ(InSession(id, 1).refused, Refused::kUnknown);
  EXPECT_EQ(InSession(id, 2).refused, Refused::kUnknown);
  EXPECT_EQ(Writes(), 1u);
}

TEST_F(Once, NothingOfASessionStaysWhenItIsOver) {
  const uint64_t closed = Open(), idle = Open(), used = Open();
  for (const uint64_t id : {closed, idle, used}) InSession(id, 1), InSession(id, 2);
  EXPECT_TRUE(Apply({.body = SessionClose{closed}}).changed);
  EXPECT_FALSE(Apply({.body = SessionClose{closed}}).changed) << "closing again is no error";
  EXPECT_EQ(InSession(closed, 1).refused, Refused::kUnknown);
  now += seconds(59);
  InSession(used, 3);
  now += seconds(59);
  Keyed("any command removes what is over");
  Keyed("and moves what was used since");
  EXPECT_EQ(KeysUnder('c'), 1u);
  EXPECT_EQ(KeysUnder('d'), 1u);
  EXPECT_EQ(KeysUnder('o'), 3u);
  now += seconds(61);
  Keyed("later"), Keyed("last");
  for (const char prefix : {'c', 'd', 'o'}) EXPECT_EQ(KeysUnder(prefix), 0u) << prefix;
}

TEST_F(Once, FullTablesRefuseWhatIsNewAndForgetNothing) {
  const uint64_t id = Open();
  Open(), Open();
  EXPECT_EQ(Apply({.body = SessionOpen{seconds(60)}}).refused, Refused::kTableFull);
  for (uint64_t sequence = 1; sequence <= 4; ++sequence) InSession(id, sequence);
  EXPECT_EQ(InSession(id, 5).refused, Refused::kTableFull);
  EXPECT_EQ(InSession(id, 1).refused, Refused::kNot) << "the old ones are still known";
  EXPECT_EQ(InSession(id, 5, 3).refused, Refused::kNot) << "a refusal for want of room is not kept";
  for (const char* key : {"a", "b", "c", "d"}) EXPECT_EQ(Keyed(key).refused, Refused::kNot);
  const uint64_t writes = Writes();
  EXPECT_EQ(Keyed("e").refused, Refused::kTableFull);
  EXPECT_EQ(Keyed("a").refused, Refused::kNot);
  EXPECT_EQ(Writes(), writes);
  now += kKeyLifetime + keys::kDateAheadMax + seconds(1);
  Apply({.body = Add("makes room")});
  EXPECT_EQ(Keyed("e").refused, Refused::kNot);
  EXPECT_EQ(Apply({.body = SessionOpen{seconds(60)}}).refused, Refused::kNot);
}

TEST_F(Once, ARefusedOpeningUnderAKeyMaySucceedLater) {
  Open(seconds(10)), Open(seconds(10)), Open(seconds(10));
  const Command open{.idempotency_key = "open", .body = SessionOpen{seconds(60)}};
  EXPECT_EQ(Apply(open).refused, Refused::kTableFull);
  now += seconds(11);
  Apply({.body = Add("makes room")});
  const CommandResult opened = Apply(open);
  ASSERT_TRUE(opened.session);
  EXPECT_EQ(Apply(open).session->id, opened.session->id) << "the retry gets the same session";
}

TEST_F(Once, OutcomesAreBoundedInBytes) {
  const uint64_t id = Open();
  const auto large = [&](uint64_t sequence, size_t bytes) {
    kv::TxnRequest txn = kv::SingleOp(kv::PutRequest{.key = "big", .value = std::string(bytes, 'x')});
    txn.success.push_back(kv::RangeRequest{.range = {"big", ""}});
    return Apply({.session = SessionRequest{id, sequence, 0}, .body = KvTxn{std::move(txn)}}).refused;
  };
  EXPECT_EQ(large(1, limits::kKeptOutcomeBytesMax), Refused::kOutcomeTooLarge);
  EXPECT_FALSE(kv::Get(store.map(), "big").has_value()) << "nothing of it stays";
  EXPECT_EQ(large(2, kBounds.bytes), Refused::kNot);
  EXPECT_EQ(InSession(id, 3).refused, Refused::kTableFull);
  EXPECT_EQ(Keyed("x").refused, Refused::kTableFull);
  EXPECT_EQ(InSession(id, 3, 3).refused, Refused::kNot);
}

TEST_F(Once, AKeyIsForgottenByGroupTimeOnly) {
  Keyed("old");
  now += kKeyLifetime;
  Keyed("old");
  EXPECT_EQ(Writes(), 1u);
  now += keys::kDateAheadMax + seconds(1);
  Apply({.body = Add("expiry happens as commands come")});
  Keyed("old");
  EXPECT_EQ(Writes(), 3u);
}

TEST_F(Once, ADatedKeyIsSafeHoweverLateItComes) {
  const std::string key = keys::DatedKey(now, "r");
  const CommandResult first = Keyed(key);
  EXPECT_EQ(Keyed(key).revision, first.revision);
  now += kKeyLifetime + hours(1);
  Apply({.body = Add("expiry happens as commands come")});
  EXPECT_EQ(Keyed(key).refused, Refused::kUnknown);
  now += hours(10000);
  EXPECT_EQ(Keyed(key).refused, Refused::kUnknown);
  EXPECT_EQ(Writes(), 2u);
}

TEST_F(Once, ADatedKeyMayBeALittleAheadAndNeverIsForgottenBeforeItIsTooOld) {
  EXPECT_EQ(Keyed(keys::DatedKey(now + keys::kDateAheadMax + seconds(1), "far")).refused, Refused::kUnknown);
  const std::string ahead = keys::DatedKey(now + keys::kDateAheadMax, "r");
  EXPECT_EQ(Keyed(ahead).refused, Refused::kNot);
  for (int i = 0; i < 200; ++i) {  // at every instant it is either kept or too old
    now += kKeyLifetime / 100;
    Apply({.body = Add("expiry happens as commands come")});
    const uint64_t writes = Writes();
    Keyed(ahead);
    ASSERT_EQ(Writes(), writes) << i;
  }
}

TEST_F(Once, OnlyTheExactFormOfADatedKeyIsOne) {
  EXPECT_EQ(keys::DateOf("gt-1500-x"), std::optional<Duration>(milliseconds(1500)));
  for (const char* text : {"", "gt-", "gt-x-1", "gt-1500", "gt--1-x", "xgt-1-x", "gt-99999999999999999999-x",
                           "gt-9999999999999999-x"}) {
    EXPECT_FALSE(keys::DateOf(text)) << text;
  }
}

TEST_F(Once, CommandsOfSessionsComeBackAsTheyWere) {
  const Command command{.session = SessionRequest{7, 8, 5}, .origin = "o", .body = Add("v")};
  const auto back = DecodeCommand(EncodeCommand(command));
  ASSERT_TRUE(back.ok()) << back.error();
  EXPECT_EQ(back->session->id, 7u);
  EXPECT_EQ(back->session->sequence, 8u);
  EXPECT_EQ(back->session->oldest_unanswered, 5u);
  EXPECT_EQ(EncodeCommand({.body = Add("v")})[0], '\1') << "what needs no session stays as version 1 has it";
  EXPECT_EQ(EncodeCommand(command)[0], '\2');
}

TEST(SessionText, IsIdSequenceAndTheOldestUnanswered) {
  const auto request = ParseSessionRequest("7:9;oldest=8");
  ASSERT_TRUE(request);
  EXPECT_EQ(request->id, 7u);
  EXPECT_EQ(request->sequence, 9u);
  EXPECT_EQ(request->oldest_unanswered, 8u);
  EXPECT_EQ(ParseSessionRequest("7:9; oldest=8")->oldest_unanswered, 8u);
  EXPECT_EQ(ParseSessionRequest("7:9")->oldest_unanswered, 0u);
  for (const char* text : {"", "7", "7:", ":9", "7:9;", "7:9;oldest=", "7:9;oldest=10", "0:1", "1:0", "7:9 ",
                           "-7:9", "99999999999999999999:1", "7:9;oldest=8x"}) {
    EXPECT_FALSE(ParseSessionRequest(text)) << text;
  }
}

TEST_F(Once, ASessionDoesNotGoWithAKeyNorWithOpeningOne) {
  const SessionRequest session{1, 1, 0};
  EXPECT_EQ(Apply({.idempotency_key = "k", .session = session, .body = Add("v")}).refused,
            Refused::kMalformed);
  EXPECT_EQ(Apply({.session = session, .body = SessionOpen{seconds(60)}}).refused, Refused::kMalformed);
  EXPECT_EQ(Apply({.session = session, .body = SessionClose{1}}).refused, Refused::kMalformed);
}

// Every replica decides alike, also one that came back from its map at any moment.
TEST_F(Once, ReplicasAgreeAlsoAfterRestarts) {
  uint64_t seed = 1;
  const auto below = [&](uint64_t n) {
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (seed >> 33) % n;
  };
  std::vector<uint64_t> ids;
  for (int i = 0; i < 2000; ++i) {
    now += seconds(below(20));
    switch (below(5)) {
      case 0:
        if (auto grant = Apply({.body = SessionOpen{seconds(60)}}).session) ids.push_back(grant->id);
        break;
      case 1:
        if (!ids.empty() && below(4) == 0) Apply({.body = SessionClose{ids[below(ids.size())]}});
        break;
      case 2:
        Keyed("key" + std::to_string(below(8)));
        break;
      default:
        if (!ids.empty())
          InSession(ids[ids.size() - 1 - below(std::min<size_t>(3, ids.size()))], 1 + below(9), below(6));
    }
    if (below(50) == 0) now += hours(25);
  }
  storage::MemoryStateStore other_store;
  const auto start = [&] {
    auto made = std::make_unique<ReplicatedState>(other_store.map(), Observer{}, kBounds);
    made->Reload();
    return made;
  };
  auto other = start();
  for (size_t i = 0; i < payloads.size(); ++i) {
    if (i % 7 == 3) other = start();
    other->Apply({LogIndex{i + 1}, Term{1}, true, payloads[i]});
  }
  EXPECT_EQ(other->state_hash(), state->state_hash());
  EXPECT_GT(ids.size(), 100u);
  now += hours(50);
  for (int i = 0; i < 10; ++i) Apply({.body = Add("drains")});
  for (const char prefix : {'s', 't', 'c', 'd', 'o'}) EXPECT_EQ(KeysUnder(prefix), 0u) << prefix;
  Restart();
  for (const char* key : {"a", "b", "c", "d"})
    EXPECT_EQ(Keyed(key).refused, Refused::kNot) << "the counts came back to nothing";
}

}  // namespace
}  // namespace quorate::rsm

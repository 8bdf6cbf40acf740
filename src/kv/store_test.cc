#include "kv/store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "kv/key_layout.h"
#include "kv/test_map.h"

namespace quorate::kv {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

class Store : public testing::Test {
 protected:
  // Runs `change` as one transaction and writes it.
  template <class F>
  Committed Do(F change) {
    Transaction transaction(map_);
    change(transaction);
    Committed committed = transaction.Commit();
    map_.Write(committed.batch);
    return committed;
  }
  Revision Put(const std::string& key, const std::string& value) {
    return Do([&](Transaction& t) { t.Put(key, value); }).revision;
  }
  Revision Delete(const std::string& key) {
    return Do([&](Transaction& t) { t.Delete(key); }).revision;
  }
  Result<TxnResponse, Error> Txn(const TxnRequest& request) {
    Transaction transaction(map_);
    auto response = Execute(transaction, request);
    if (response.ok()) map_.Write(transaction.Commit().batch);
    return response;
  }
  RangeResponse MustRange(RangeRequest request) {
    auto response = Range(map_, request);
    EXPECT_TRUE(response.ok());
    return *std::move(response);
  }
  std::vector<std::string> Keys(RangeRequest request) {
    std::vector<std::string> keys;
    for (const KeyValue& kv : MustRange(request).kvs) keys.push_back(kv.key);
    return keys;
  }
  std::string Value(const std::string& key, Revision at = {}) {
    const RangeResponse response = MustRange({.range = {key, ""}, .revision = at});
    return response.kvs.empty() ? "(none)" : response.kvs[0].value;
  }
  void CompactAll(Revision at, size_t step = 3) {
    auto batch = Compact(map_, at);
    ASSERT_TRUE(batch.ok());
    map_.Write(*batch);
    int steps = 0;
    for (MapBatch work = StepCompaction(map_, step); !work.empty(); work = StepCompaction(map_, step)) {
      map_.Write(work);
      ASSERT_LT(++steps, 100000);
    }
  }
  History Changes(Revision from, KeyRange range = PrefixRange("")) {
    auto history = ReadHistory(map_, {.range = range, .from = from, .prev_kv = true});
    EXPECT_TRUE(history.ok());
    return *std::move(history);
  }

  TestMap map_;
};

const KeyRange kEverything{std::string(1, '\0'), std::string(1, '\0')};

TEST_F(Store, AnEmptyStoreIsAtRevisionOne) {
  EXPECT_EQ(ReadMeta(map_), (Meta{Revision{1}, Revision{0}}));
  EXPECT_EQ(Put("a", "1"), Revision{2});
}

TEST_F(Store, AKeyKnowsWhenItWasMadeAndHowOftenItChanged) {
  Put("other", "");
  Put("a", "1");
  Put("a", "2");
  EXPECT_EQ(Get(map_, "a"), (KeyValue{"a", "2", Revision{3}, Revision{4}, 2}));
  Delete("a");
  EXPECT_EQ(Get(map_, "a"), std::nullopt);
  Put("a", "3");
  EXPECT_EQ(Get(map_, "a"), (KeyValue{"a", "3", Revision{6}, Revision{6}, 1}));
}

TEST_F(Store, OlderRevisionsCanBeRead) {
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Put("a", "4");
  EXPECT_EQ(Value("a", Revision{1}), "(none)");
  EXPECT_EQ(Value("a", Revision{2}), "1");
  EXPECT_EQ(Value("a", Revision{3}), "2");
  EXPECT_EQ(Value("a", Revision{4}), "(none)");
  EXPECT_EQ(Value("a"), "4");
  EXPECT_EQ(Range(map_, {.range = {"a", ""}, .revision = Revision{6}}).error(), Error::kFutureRevision);
}

TEST_F(Store, ATransactionIsOneRevisionAndItsEventsAreInOrder) {
  Put("old", "x");
  const Committed committed = Do([](Transaction& t) {
    t.Put("b", "1");
    t.Put("a", "2");
    t.Delete("old");
  });
  EXPECT_EQ(committed.revision, Revision{3});
  ASSERT_EQ(committed.events.size(), 3u);
  EXPECT_EQ(committed.events[0].kv.key, "b");
  EXPECT_EQ(committed.events[1].kv.key, "a");
  EXPECT_EQ(committed.events[2].type, Event::Type::kDelete);
  EXPECT_EQ(committed.events[2].kv, (KeyValue{.key = "old", .mod_revision = Revision{3}}));
  EXPECT_EQ(committed.events[2].prev->value, "x");
  EXPECT_EQ(Changes(Revision{3}).events, committed.events);
}

TEST_F(Store, ATransactionWithoutEffectTakesNoRevision) {
  Put("a", "1");
  const Committed committed = Do([](Transaction& t) {
    EXPECT_EQ(t.Delete("missing"), std::nullopt);
    EXPECT_THAT(t.DeleteRange({"x", "z"}), IsEmpty());
    t.Put("new", "1");
    t.Delete("new");
    EXPECT_EQ(t.revision(), t.base_revision());
  });
  EXPECT_EQ(committed.revision, Revision{2});
  EXPECT_THAT(committed.batch, IsEmpty());
  EXPECT_THAT(committed.events, IsEmpty());
}

TEST_F(Store, ATransactionSeesItsOwnWrites) {
  Put("a", "1");
  Put("c", "1");
  Put("d", "1");
  Do([](Transaction& t) {
    t.Put("b", "2");
    t.Put("c", "2");
    t.Delete("d");
    const auto now = t.Range({.range = PrefixRange("")});
    ASSERT_TRUE(now.ok());
    ASSERT_EQ(now->kvs.size(), 3u);
    EXPECT_EQ(now->kvs[1].key, "b");
    EXPECT_EQ(now->kvs[2].value, "2");
    EXPECT_EQ(now->kvs[2].version, 2u);
    EXPECT_EQ(now->revision, Revision{5});
    EXPECT_EQ(t.Range({.range = PrefixRange(""), .count_only = true})->count, 3u);
    // A revision that is named is the store's, without them.
    EXPECT_EQ(t.Range({.range = {"c", ""}, .revision = Revision{4}})->kvs[0].value, "1");
  });
}

TEST_F(Store, AKeyChangedTwiceInATransactionChangesOnce) {
  Put("a", "1");
  const Committed committed = Do([](Transaction& t) {
    t.Delete("a");
    t.Put("a", "2");
    t.Put("a", "3");
  });
  ASSERT_EQ(committed.events.size(), 1u);
  EXPECT_EQ(Get(map_, "a"), (KeyValue{"a", "3", Revision{2}, Revision{3}, 2}));
}

TEST_F(Store, KeysOfAnyBytesKeepTheirOrder) {
  const std::vector<std::string> keys{std::string("\0", 1),
                                      std::string("\0\0", 2),
                                      std::string("\0\1", 2),
                                      std::string("\0\xff", 2),
                                      "a",
                                      std::string("a\0", 2),
                                      std::string("a\0b", 3),
                                      std::string("a\1", 2),
                                      "ab",
                                      "\xff",
                                      std::string("\xff\0", 2),
                                      "\xff\xff"};
  ASSERT_TRUE(std::is_sorted(keys.begin(), keys.end()));
  for (auto it = keys.rbegin(); it != keys.rend(); ++it) Put(*it, "v");
  EXPECT_EQ(Keys({.range = kEverything}), keys);
  for (size_t i = 0; i < keys.size(); ++i) {
    EXPECT_EQ(Keys({.range = {keys[i], std::string(1, '\0')}}), std::vector(keys.begin() + i, keys.end()));
    EXPECT_THAT(Keys({.range = {keys[i], ""}}), ElementsAre(keys[i]));
    if (i == 0) continue;
    EXPECT_EQ(Keys({.range = {keys[0], keys[i]}}), std::vector(keys.begin(), keys.begin() + i));
  }
}

TEST_F(Store, RangesEndBeforeTheirEnd) {
  for (const char* key : {"a", "b", "ba", "c"}) Put(key, "v");
  EXPECT_THAT(Keys({.range = {"a", "b"}}), ElementsAre("a"));
  EXPECT_THAT(Keys({.range = {"b", "c"}}), ElementsAre("b", "ba"));
  EXPECT_THAT(Keys({.range = PrefixRange("b")}), ElementsAre("b", "ba"));
  EXPECT_THAT(Keys({.range = {"c", "a"}}), IsEmpty());
  EXPECT_EQ(Range(map_, {.range = {"", ""}}).error(), Error::kEmptyKey);
}

TEST_F(Store, LimitCutsAndCountDoesNot) {
  for (const char* key : {"a", "b", "c"}) Put(key, "v");
  RangeResponse two = MustRange({.range = kEverything, .limit = 2});
  EXPECT_EQ(two.kvs.size(), 2u);
  EXPECT_TRUE(two.more);
  EXPECT_EQ(two.count, 3u);
  EXPECT_FALSE(MustRange({.range = kEverything, .limit = 3}).more);
  const RangeResponse count = MustRange({.range = kEverything, .count_only = true});
  EXPECT_EQ(count.count, 3u);
  EXPECT_THAT(count.kvs, IsEmpty());
  for (const KeyValue& kv : MustRange({.range = kEverything, .keys_only = true}).kvs) EXPECT_EQ(kv.value, "");
}

TEST_F(Store, SortsAndFilters) {
  Put("a", "3");  // 2
  Put("b", "1");  // 3
  Put("c", "2");  // 4
  Put("a", "3");  // 5
  const auto sorted = [&](SortTarget target, SortOrder order) {
    return Keys({.range = kEverything, .sort_order = order, .sort_target = target});
  };
  EXPECT_THAT(sorted(SortTarget::kKey, SortOrder::kDescend), ElementsAre("c", "b", "a"));
  EXPECT_THAT(sorted(SortTarget::kValue, SortOrder::kAscend), ElementsAre("b", "c", "a"));
  EXPECT_THAT(sorted(SortTarget::kMod, SortOrder::kDescend), ElementsAre("a", "c", "b"));
  EXPECT_THAT(sorted(SortTarget::kCreate, SortOrder::kDescend), ElementsAre("c", "b", "a"));
  EXPECT_THAT(sorted(SortTarget::kVersion, SortOrder::kNone), ElementsAre("b", "c", "a"));
  EXPECT_THAT(Keys({.range = kEverything, .limit = 1, .sort_order = SortOrder::kDescend}), ElementsAre("c"));
  EXPECT_THAT(Keys({.range = kEverything, .min_mod_revision = 4}), ElementsAre("a", "c"));
  EXPECT_THAT(Keys({.range = kEverything, .max_mod_revision = 4}), ElementsAre("b", "c"));
  EXPECT_THAT(Keys({.range = kEverything, .limit = 1, .min_create_revision = 3}), ElementsAre("b"));
  EXPECT_THAT(Keys({.range = kEverything, .max_create_revision = 3}), ElementsAre("a", "b"));
}

TEST_F(Store, CompactionForgetsTheOldAndKeepsTheLiving) {
  Put("a", "1");      // 2
  Put("a", "2");      // 3
  Put("gone", "1");   // 4
  Delete("gone");     // 5
  Put("still", "1");  // 6
  Put("a", "3");      // 7
  CompactAll(Revision{6}, 1);
  EXPECT_EQ(Range(map_, {.range = {"a", ""}, .revision = Revision{5}}).error(), Error::kCompacted);
  EXPECT_EQ(Value("a", Revision{6}), "2");
  EXPECT_EQ(Value("a"), "3");
  EXPECT_EQ(Value("still", Revision{6}), "1");
  EXPECT_EQ(Value("gone", Revision{6}), "(none)");
  // a at 3 and 7, still at 6; index of 6 and 7; three marks.
  EXPECT_EQ(map_.data().size(), 8u);
  EXPECT_FALSE(map_.data().contains(RecordKey("gone", Revision{5})));
  EXPECT_TRUE(map_.data().contains(RecordKey("a", Revision{3})));
}

TEST_F(Store, CompactionIsRefusedTwiceAndInTheFuture) {
  Put("a", "1");
  Put("a", "2");
  CompactAll(Revision{2});
  EXPECT_EQ(Compact(map_, Revision{2}).error(), Error::kCompacted);
  EXPECT_EQ(Compact(map_, Revision{4}).error(), Error::kFutureRevision);
  CompactAll(Revision{3});
  EXPECT_EQ(Value("a"), "2");
}

TEST_F(Store, CompactedHistoryTakesEffectAtOnceAndIsDeletedInSmallSteps) {
  for (int i = 0; i < 1000; ++i) Put("a", std::to_string(i));
  map_.Write(*Compact(map_, Revision{1001}));
  EXPECT_EQ(Range(map_, {.range = {"a", ""}, .revision = Revision{1000}}).error(), Error::kCompacted);
  size_t steps = 0;
  for (MapBatch work = StepCompaction(map_, 64); !work.empty(); work = StepCompaction(map_, 64), ++steps) {
    EXPECT_LE(work.size(), 64u + 3);
    map_.Write(work);
    EXPECT_EQ(Value("a"), "999");
  }
  EXPECT_GT(steps, 10u);
  EXPECT_LT(map_.data().size(), 8u);
}

TEST_F(Store, CompactionDuringAPassIsFinishedByTheNext) {
  for (int i = 0; i < 10; ++i) Put("a", "x"), Delete("a");
  map_.Write(*Compact(map_, Revision{5}));
  map_.Write(StepCompaction(map_, 1));
  CompactAll(Revision{21});
  EXPECT_EQ(map_.data().size(), 5u);  // the last delete may still be watched
  Put("b", "x");
  CompactAll(Revision{22});
  EXPECT_EQ(map_.data().size(), 5u);  // b, its index, the marks
}

TEST_F(Store, ADeletedKeyNeverRisesBetweenTwoStepsOfCompaction) {
  for (int i = 0; i < 20; ++i) Put("a", "x");
  Delete("a");
  Put("b", "x");
  map_.Write(*Compact(map_, Revision{23}));
  for (MapBatch work = StepCompaction(map_, 1); !work.empty(); work = StepCompaction(map_, 1)) {
    map_.Write(work);
    ASSERT_EQ(Value("a"), "(none)");
  }
  EXPECT_EQ(map_.data().size(), 5u);
}

TEST_F(Store, HistoryGivesEveryChangeInOrder) {
  Put("a", "1");
  Put("b", "1");
  Put("a", "2");
  Delete("a");
  const History history = Changes(Revision{2}, {"a", ""});
  ASSERT_EQ(history.events.size(), 3u);
  EXPECT_EQ(history.events[0].prev, std::nullopt);
  EXPECT_EQ(history.events[1].kv, (KeyValue{"a", "2", Revision{2}, Revision{4}, 2}));
  EXPECT_EQ(history.events[1].prev->value, "1");
  EXPECT_EQ(history.events[2].type, Event::Type::kDelete);
  EXPECT_EQ(history.events[2].prev->value, "2");
  EXPECT_EQ(history.next, Revision{6});
  EXPECT_THAT(Changes(Revision{9}).events, IsEmpty());
  EXPECT_EQ(Changes(Revision{9}).next, Revision{9});
}

TEST_F(Store, HistoryStopsBetweenRevisions) {
  Do([](Transaction& t) { t.Put("a", "1"), t.Put("b", "1"), t.Put("c", "1"); });
  Put("d", "1");
  Put("e", "1");
  auto first = ReadHistory(map_, {.range = kEverything, .from = Revision{1}, .max_events = 2});
  EXPECT_EQ(first->events.size(), 3u);
  EXPECT_EQ(first->next, Revision{3});
  auto unmatched = ReadHistory(map_, {.range = {"zz", ""}, .from = Revision{2}, .max_scanned = 1});
  EXPECT_THAT(unmatched->events, IsEmpty());
  EXPECT_EQ(unmatched->next, Revision{3});
  auto to = ReadHistory(map_, {.range = kEverything, .from = Revision{3}, .to = Revision{3}});
  EXPECT_EQ(to->events.size(), 1u);
  EXPECT_EQ(to->next, Revision{4});
}

TEST_F(Store, HistoryBeforeTheCompactedRevisionIsGoneAndAtItIsWhole) {
  Put("a", "1");
  Put("a", "2");
  Delete("a");
  Put("b", "1");
  CompactAll(Revision{4});
  const auto gone = ReadHistory(map_, {.range = kEverything, .from = Revision{3}});
  ASSERT_FALSE(gone.ok());
  EXPECT_EQ(gone.error().compacted, Revision{4});
  const History kept = Changes(Revision{4});
  ASSERT_EQ(kept.events.size(), 2u);
  EXPECT_EQ(kept.events[0].type, Event::Type::kDelete);
  EXPECT_EQ(kept.events[0].prev, std::nullopt);
}

TEST_F(Store, AReaderDuringAWriteSeesOneVersion) {
  Put("a", "1");
  const auto iterator = map_.NewIterator();
  Transaction before(map_);
  Put("a", "2");
  EXPECT_EQ(before.Get("a")->value, "1");
  EXPECT_EQ(before.base_revision(), Revision{2});
}

// txn

RequestOp PutOp(const std::string& key, const std::string& value) {
  return PutRequest{.key = key, .value = value};
}
RequestOp Nested(TxnRequest txn) {
  std::vector<TxnRequest> one;
  one.push_back(std::move(txn));
  return one;
}
Compare Number(Compare::Target target, const std::string& key, Compare::Result result, int64_t number) {
  return {.result = result, .target = target, .range = {key, ""}, .number = number};
}

TEST_F(Store, ATxnTakesTheBranchItsComparesSay) {
  TxnRequest create;
  create.compare = {Number(Compare::Target::kCreate, "a", Compare::Result::kEqual, 0)};
  create.success = {PutOp("a", "1")};
  create.failure = {RangeRequest{.range = {"a", ""}}};
  auto first = Txn(create);
  EXPECT_TRUE(first->succeeded);
  EXPECT_EQ(first->revision, Revision{2});
  EXPECT_EQ(std::get<PutResponse>(first->responses[0]).revision, Revision{2});
  auto second = Txn(create);
  EXPECT_FALSE(second->succeeded);
  EXPECT_EQ(second->revision, Revision{2});
  EXPECT_EQ(std::get<RangeResponse>(second->responses[0]).kvs[0].value, "1");
}

TEST_F(Store, ComparesKnowAllTargetsAndResults) {
  Put("a", "1");
  Put("a", "2");  // create 2, mod 3, version 2
  using T = Compare::Target;
  using R = Compare::Result;
  const auto holds = [&](Compare compare) {
    TxnRequest txn;
    txn.compare = {std::move(compare)};
    return Txn(txn)->succeeded;
  };
  EXPECT_TRUE(holds(Number(T::kVersion, "a", R::kEqual, 2)));
  EXPECT_TRUE(holds(Number(T::kMod, "a", R::kGreater, 2)));
  EXPECT_FALSE(holds(Number(T::kMod, "a", R::kGreater, 3)));
  EXPECT_TRUE(holds(Number(T::kCreate, "a", R::kLess, 3)));
  EXPECT_TRUE(holds(Number(T::kLease, "a", R::kEqual, 0)));
  EXPECT_TRUE(holds(Number(T::kVersion, "a", R::kNotEqual, 1)));
  EXPECT_TRUE(holds({.result = R::kEqual, .target = T::kValue, .range = {"a", ""}, .value = "2"}));
  EXPECT_TRUE(holds({.result = R::kLess, .target = T::kValue, .range = {"a", ""}, .value = "3"}));
  // A missing key: numbers are 0, a value never compares.
  EXPECT_TRUE(holds(Number(T::kVersion, "none", R::kEqual, 0)));
  EXPECT_TRUE(holds(Number(T::kVersion, "none", R::kGreater, -1)));
  EXPECT_FALSE(holds({.result = R::kNotEqual, .target = T::kValue, .range = {"none", ""}, .value = "x"}));
  // A range: all keys.
  Put("b", "2");
  EXPECT_TRUE(holds({.result = R::kGreater, .target = T::kVersion, .range = {"a", "z"}, .number = 0}));
  EXPECT_FALSE(holds({.result = R::kEqual, .target = T::kVersion, .range = {"a", "z"}, .number = 2}));
}

TEST_F(Store, NestedComparesSeeTheStateBeforeTheWholeTxn) {
  TxnRequest inner;
  inner.compare = {Number(Compare::Target::kCreate, "a", Compare::Result::kEqual, 0)};
  inner.success = {PutOp("seen", "before")};
  inner.failure = {PutOp("seen", "after")};
  TxnRequest outer;
  outer.success = {PutOp("a", "1"), Nested(inner), RangeRequest{.range = {"seen", ""}}};
  auto response = Txn(outer);
  ASSERT_TRUE(response.ok());
  EXPECT_TRUE(std::get<std::vector<TxnResponse>>(response->responses[1])[0].succeeded);
  EXPECT_EQ(std::get<RangeResponse>(response->responses[2]).kvs[0].value, "before");
  EXPECT_EQ(ReadMeta(map_).current, Revision{2});
}

TEST_F(Store, PrevKvAndDeletedAreReported) {
  Put("a", "1");
  Put("b", "1");
  auto put = Txn(SingleOp(PutRequest{.key = "a", .value = "2", .prev_kv = true}));
  EXPECT_EQ(std::get<PutResponse>(put->responses[0]).prev->value, "1");
  auto del = Txn(SingleOp(DeleteRangeRequest{.range = kEverything, .prev_kv = true}));
  const auto& deleted = std::get<DeleteRangeResponse>(del->responses[0]);
  EXPECT_EQ(deleted.deleted, 2u);
  EXPECT_EQ(deleted.revision, Revision{5});
  EXPECT_EQ(deleted.prev[0].value, "2");
  auto none = Txn(SingleOp(DeleteRangeRequest{.range = kEverything}));
  EXPECT_EQ(none->revision, Revision{5});
}

TEST_F(Store, IgnoreValueKeepsItAndNeedsTheKey) {
  Put("a", "1");
  ASSERT_TRUE(Txn(SingleOp(PutRequest{.key = "a", .ignore_value = true})).ok());
  EXPECT_EQ(Get(map_, "a"), (KeyValue{"a", "1", Revision{2}, Revision{3}, 2}));
  EXPECT_EQ(Txn(SingleOp(PutRequest{.key = "b", .ignore_value = true})).error(), Error::kKeyNotFound);
  EXPECT_EQ(Txn(SingleOp(PutRequest{.key = "b", .ignore_lease = true})).error(), Error::kKeyNotFound);
  EXPECT_EQ(Txn(SingleOp(PutRequest{.key = "b", .lease = 7})).error(), Error::kLeaseNotFound);
}

TEST_F(Store, ARefusedTxnChangesNothing) {
  TxnRequest txn;
  txn.success = {PutOp("a", "1"), RangeRequest{.range = {"a", ""}, .revision = Revision{9}}};
  EXPECT_EQ(Txn(txn).error(), Error::kFutureRevision);
  txn.success = {PutOp("a", "1"), PutRequest{.key = "b", .ignore_value = true}};
  EXPECT_EQ(Txn(txn).error(), Error::kKeyNotFound);
  EXPECT_TRUE(map_.data().empty());
}

TEST(Check, RefusesWhatEtcdRefuses) {
  EXPECT_EQ(Check(SingleOp(PutOp("", ""))), Error::kEmptyKey);
  EXPECT_EQ(Check(SingleOp(RangeRequest{})), Error::kEmptyKey);
  EXPECT_EQ(Check(SingleOp(DeleteRangeRequest{})), Error::kEmptyKey);
  EXPECT_EQ(Check(SingleOp(std::vector<TxnRequest>{})), Error::kKeyNotFound);
  EXPECT_EQ(Check(SingleOp(PutRequest{.key = "a", .value = "v", .ignore_value = true})),
            Error::kValueProvided);
  EXPECT_EQ(Check(SingleOp(PutRequest{.key = "a", .lease = 1, .ignore_lease = true})), Error::kLeaseProvided);
  TxnRequest txn;
  txn.compare = {Compare{}};
  EXPECT_EQ(Check(txn), Error::kEmptyKey);
  txn.compare.clear();
  txn.success.assign(129, RangeRequest{.range = {"a", ""}});
  EXPECT_EQ(Check(txn), Error::kTooManyOps);
  txn.success.resize(128);
  EXPECT_EQ(Check(txn), std::nullopt);
  TxnRequest deep;
  for (int i = 0; i < 40; ++i) deep = SingleOp(Nested(std::move(deep)));
  EXPECT_EQ(Check(deep), Error::kTooDeep);
}

TEST(Check, RefusesAKeyWrittenTwice) {
  TxnRequest txn;
  txn.success = {PutOp("a", "1"), PutOp("a", "2")};
  EXPECT_EQ(Check(txn), Error::kDuplicateKey);
  txn.success = {PutOp("b", "1"), DeleteRangeRequest{.range = {"a", "c"}}};
  EXPECT_EQ(Check(txn), Error::kDuplicateKey);
  txn.success = {PutOp("c", "1"), DeleteRangeRequest{.range = {"a", "c"}},
                 DeleteRangeRequest{.range = {"a", "b"}}};
  EXPECT_EQ(Check(txn), std::nullopt);
  TxnRequest inner;
  inner.success = {PutOp("a", "1")};
  inner.failure = {PutOp("a", "2")};
  txn.success = {Nested(inner)};
  EXPECT_EQ(Check(txn), std::nullopt);  // one branch or the other
  txn.success = {Nested(inner), PutOp("a", "3")};
  EXPECT_EQ(Check(txn), Error::kDuplicateKey);
  txn.success = {Nested(inner), Nested(inner)};
  EXPECT_EQ(Check(txn), Error::kDuplicateKey);
}

TEST(Check, KnowsWhatOnlyReads) {
  EXPECT_TRUE(IsReadOnly(SingleOp(RangeRequest{.range = {"a", ""}})));
  EXPECT_TRUE(IsReadOnly(SingleOp(Nested(SingleOp(RangeRequest{.range = {"a", ""}})))));
  EXPECT_FALSE(IsReadOnly(SingleOp(Nested(SingleOp(PutOp("a", ""))))));
  TxnRequest failure;
  failure.failure = {DeleteRangeRequest{.range = {"a", ""}}};
  EXPECT_FALSE(IsReadOnly(failure));
}

// docs/formats-store.md
TEST_F(Store, TheBytesInTheMapAreThoseOfTheFormat) {
  Put(std::string("a\0", 2), "v");
  Delete(std::string("a\0", 2));
  map_.Write(*Compact(map_, Revision{2}));
  map_.Write(StepCompaction(map_, 10));
  const std::string ff(7, '\xff'), zero(7, '\0');
  const std::string prefix = std::string("kda\0\xff\0\1", 7);
  const TestMap::Data expected{
      {prefix + ff + "\xfc", "\x02"},
      {prefix + ff + "\xfd", std::string("\1\2\1\0v", 5)},
      {"kmc", zero + "\x02"},
      {"kmp", std::string("\2\2\2\1", 4)},
      {"kmr", zero + "\x03"},
      {"kr" + zero + "\x02" + std::string(4, '\0'), std::string("a\0", 2)},
      {"kr" + zero + "\x03" + std::string(4, '\0'), std::string("a\0", 2)},
  };
  EXPECT_EQ(map_.data(), expected);
}

}  // namespace
}  // namespace quorate::kv

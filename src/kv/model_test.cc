// The store against a model that keeps a whole copy of itself for every revision.
#include <gtest/gtest.h>

#include <map>

#include "base/bytes.h"
#include "base/rng.h"
#include "kv/codec.h"
#include "kv/store.h"
#include "kv/test_map.h"

namespace quorate::kv {
namespace {

using State = std::map<std::string, KeyValue>;

struct Model {
  std::vector<State> at{State{}, State{}};  // by revision; 0 is not used
  std::vector<std::vector<Event>> events{{}, {}};
  uint64_t compacted = 0;

  uint64_t current() const { return at.size() - 1; }
};

class ModelRun {
 public:
  explicit ModelRun(uint64_t seed) : rng_(seed) {}

  void Step() {
    switch (rng_.Below(10)) {
      case 0:
        return Compaction();
      case 1:
        return CompareHistory();
      case 2:
      case 3:
        return CompareRange();
      default:
        return Change();
    }
  }

 private:
  std::string Key() {
    static const std::vector<std::string> parts{"", "a", "b", std::string(1, '\0'), "\xff", "ab"};
    std::string key = parts[1 + rng_.Below(parts.size() - 1)];
    return key + parts[rng_.Below(parts.size())];
  }
  KeyRange Keys() {
    if (rng_.Chance(1, 3)) return {Key(), ""};
    if (rng_.Chance(1, 4)) return {Key(), std::string(1, '\0')};
    return {Key(), Key()};
  }

  void Change() {
    Transaction transaction(map_);
    State next = model_.at.back();
    const uint64_t revision = model_.current() + 1;
    std::map<std::string, bool> touched;
    for (uint64_t n = 1 + rng_.Below(3); n > 0; --n) {
      if (rng_.Chance(1, 3)) {
        const KeyRange range = Keys();
        size_t deleted = 0;
        for (auto it = next.begin(); it != next.end();) {
          if (range.Contains(it->first) && ++deleted)
            touched[it->first] = true, it = next.erase(it);
          else
            ++it;
        }
        ASSERT_EQ(transaction.DeleteRange(range).size(), deleted);
      } else {
        const std::string key = Key();
        const std::string value = std::to_string(rng_.Below(100));
        const auto had = model_.at.back().find(key);
        KeyValue kv{key, value, Revision{revision}, Revision{revision}, 1};
        if (had != model_.at.back().end()) {
          kv.create_revision = had->second.create_revision;
          kv.version = had->second.version + 1;
        }
        next[key] = kv;
        touched[key] = true;
        transaction.Put(key, value);
      }
      CompareInside(transaction, next);
    }
    std::vector<Event> events;
    for (const auto& [key, unused] : touched) {
      const auto before = model_.at.back().find(key);
      const auto now = next.find(key);
      if (before == model_.at.back().end() && now == next.end()) continue;
      Event event;
      if (now == next.end()) {
        event.type = Event::Type::kDelete;
        event.kv = {.key = key, .mod_revision = Revision{revision}};
      } else {
        event.kv = now->second;
      }
      if (before != model_.at.back().end()) event.prev = before->second;
      events.push_back(event);
    }
    Committed committed = transaction.Commit();
    map_.Write(committed.batch);
    if (!events.empty()) {
      model_.at.push_back(next);
      model_.events.push_back(events);
    }
    ASSERT_EQ(committed.revision.value, model_.current());
    std::sort(committed.events.begin(), committed.events.end(),
              [](const Event& a, const Event& b) { return a.kv.key < b.kv.key; });
    ASSERT_EQ(committed.events, events);
  }

  void CompareInside(const Transaction& transaction, const State& state) {
    const KeyRange range = Keys();
    const auto found = transaction.Range({.range = range});
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->kvs, Select(state, range));
  }

  static std::vector<KeyValue> Select(const State& state, const KeyRange& range) {
    std::vector<KeyValue> out;
    for (const auto& [key, kv] : state) {
      if (range.Contains(key)) out.push_back(kv);
    }
    return out;
  }

  void CompareRange() {
    RangeRequest request{
        .range = Keys(), .limit = rng_.Below(4), .revision = {rng_.Below(model_.current() + 3)}};
    const auto found = Range(map_, request);
    if (request.revision.value > model_.current()) {
      ASSERT_EQ(found.error(), Error::kFutureRevision);
    } else if (request.revision && request.revision.value < model_.compacted) {
      ASSERT_EQ(found.error(), Error::kCompacted);
    } else {
      ASSERT_TRUE(found.ok());
      auto expected =
          Select(model_.at[request.revision ? request.revision.value : model_.current()], request.range);
      ASSERT_EQ(found->count, expected.size());
      ASSERT_EQ(found->more, request.limit > 0 && expected.size() > request.limit);
      if (request.limit > 0 && expected.size() > request.limit) expected.resize(request.limit);
      ASSERT_EQ(found->kvs, expected);
      ASSERT_EQ(found->revision.value, model_.current());
    }
  }

  // Page by page, as watchers catch up.
  void CompareHistory() {
    HistoryRequest request{.range = Keys(), .from = {rng_.Below(model_.current() + 1)}, .prev_kv = true};
    request.max_events = 1 + rng_.Below(3);
    request.max_bytes = 1 + rng_.Below(30);
    request.max_scanned = 1 + rng_.Below(20);
    std::vector<Event> expected, found;
    if (request.from.value < model_.compacted) {
      const auto gone = ReadHistory(map_, request);
      ASSERT_FALSE(gone.ok());
      ASSERT_EQ(gone.error().compacted.value, model_.compacted);
      return;
    }
    for (uint64_t revision = request.from.value; revision <= model_.current(); ++revision) {
      for (Event event : model_.events[revision]) {
        // What came before the compacted revision is gone unless it was still alive at it.
        if (event.prev && revision == model_.compacted) event.prev.reset();
        if (request.range.Contains(event.kv.key)) expected.push_back(event);
      }
    }
    while (request.from.value <= model_.current()) {
      auto page = ReadHistory(map_, request);
      ASSERT_TRUE(page.ok());
      ASSERT_GT(page->next, request.from);
      request.from = page->next;
      for (Event& event : page->events) {
        if (event.kv.mod_revision.value == model_.compacted) event.prev.reset();  // not yet purged
        found.push_back(std::move(event));
      }
    }
    const auto order = [](const Event& a, const Event& b) {
      return std::tie(a.kv.mod_revision, a.kv.key) < std::tie(b.kv.mod_revision, b.kv.key);
    };
    ASSERT_TRUE(std::is_sorted(found.begin(), found.end(), [](const Event& a, const Event& b) {
      return a.kv.mod_revision < b.kv.mod_revision;
    }));
    std::sort(found.begin(), found.end(), order);
    ASSERT_EQ(found, expected);
  }

  void Compaction() {
    if (rng_.Chance(1, 3)) {
      const uint64_t at = rng_.Below(model_.current() + 2);
      auto batch = Compact(map_, {at});
      if (at <= model_.compacted) {
        ASSERT_EQ(batch.error(), Error::kCompacted);
      } else if (at > model_.current()) {
        ASSERT_EQ(batch.error(), Error::kFutureRevision);
      } else {
        map_.Write(*batch);
        model_.compacted = at;
      }
    }
    const MapBatch work = StepCompaction(map_, 1 + rng_.Below(8));
    map_.Write(work);
    if (!work.empty() || model_.compacted == 0) return;
    // Done: nothing is kept that cannot be read.
    size_t expected = model_.at[model_.compacted].size() + (model_.current() > 1 ? 3 : 2);
    for (uint64_t revision = model_.compacted; revision <= model_.current(); ++revision) {
      for (const Event& event : model_.events[revision]) {
        const bool counted = revision == model_.compacted && event.type == Event::Type::kPut;
        expected += counted ? 1 : 2;
      }
    }
    ASSERT_EQ(map_.data().size(), expected);
  }

  Rng rng_;
  TestMap map_;
  Model model_;
};

TEST(Model, TheStoreDoesWhatANaiveHistoryDoes) {
  for (uint64_t seed = 1; seed <= 100; ++seed) {
    SCOPED_TRACE(testing::Message() << "seed " << seed);
    ModelRun run(seed);
    for (int i = 0; i < 200; ++i) {
      run.Step();
      ASSERT_FALSE(testing::Test::HasFatalFailure());
    }
  }
}

// codec

class RandomTxn {
 public:
  explicit RandomTxn(Rng& rng) : rng_(rng) {}
  TxnRequest Request(int depth) {
    TxnRequest txn;
    for (uint64_t n = rng_.Below(3); n > 0; --n) {
      txn.compare.push_back({static_cast<Compare::Result>(rng_.Below(4)),
                             static_cast<Compare::Target>(rng_.Below(5)),
                             {Text(), Text()},
                             static_cast<int64_t>(rng_.Next()),
                             Text()});
    }
    for (uint64_t n = rng_.Below(4); n > 0; --n) txn.success.push_back(Op(depth));
    for (uint64_t n = rng_.Below(3); n > 0; --n) txn.failure.push_back(Op(depth));
    return txn;
  }
  TxnResponse Response(int depth) {
    TxnResponse txn{Revision{rng_.Next()}, Coin(), {}};
    for (uint64_t n = rng_.Below(4); n > 0; --n) {
      switch (rng_.Below(depth > 0 ? 4 : 3)) {
        case 0:
          txn.responses.push_back(
              RangeResponse{Revision{rng_.Below(99)}, {Kv(), Kv()}, Coin(), rng_.Below(9)});
          break;
        case 1:
          txn.responses.push_back(PutResponse{Revision{7}, Coin() ? std::optional(Kv()) : std::nullopt});
          break;
        case 2:
          txn.responses.push_back(DeleteRangeResponse{Revision{7}, 3, {Kv()}});
          break;
        default:
          txn.responses.push_back(std::vector<TxnResponse>{Response(depth - 1)});
      }
    }
    return txn;
  }

 private:
  bool Coin() { return rng_.Chance(1, 2); }
  std::string Text() { return std::string(rng_.Below(5), static_cast<char>(rng_.Next())); }
  KeyValue Kv() {
    return {Text(), Text(), {rng_.Next()}, {rng_.Below(9)}, 2, static_cast<int64_t>(rng_.Next())};
  }
  RequestOp Op(int depth) {
    switch (rng_.Below(depth > 0 ? 4 : 3)) {
      case 0:
        return RangeRequest{{Text(), Text()},
                            rng_.Below(9),
                            {rng_.Below(9)},
                            static_cast<SortOrder>(rng_.Below(3)),
                            static_cast<SortTarget>(rng_.Below(5)),
                            Coin(),
                            Coin(),
                            -1,
                            2,
                            3,
                            4};
      case 1:
        return PutRequest{Text(), Text(), -5, Coin(), Coin(), Coin()};
      case 2:
        return DeleteRangeRequest{{Text(), Text()}, Coin()};
      default:
        return std::vector<TxnRequest>{Request(depth - 1)};
    }
  }
  Rng& rng_;
};

TEST(Codec, WhatIsEncodedDecodesToTheSameAndNothingShorterDoes) {
  Rng rng(7);
  RandomTxn random(rng);
  for (int i = 0; i < 200; ++i) {
    const TxnRequest request = random.Request(3);
    ByteWriter out;
    EncodeTxnRequest(request, out);
    ByteReader in(out.str());
    ASSERT_EQ(DecodeTxnRequest(in), request);
    ASSERT_TRUE(in.AtEnd());
    ByteReader cut(std::string_view(out.str()).substr(0, out.str().size() - 1));
    ASSERT_EQ(DecodeTxnRequest(cut), std::nullopt);

    const TxnResponse response = random.Response(3);
    ByteWriter answer;
    EncodeTxnResponse(response, answer);
    ByteReader back(answer.str());
    ASSERT_EQ(DecodeTxnResponse(back), response);
    ASSERT_TRUE(back.AtEnd());
  }
}

TEST(Codec, BytesFromAnywhereAreSafe) {
  Rng rng(8);
  RandomTxn random(rng);
  for (int i = 0; i < 5000; ++i) {
    ByteWriter out;
    EncodeTxnRequest(random.Request(2), out);
    std::string bytes = out.Take();
    for (uint64_t n = 1 + rng.Below(3); n > 0; --n)
      bytes[rng.Below(bytes.size())] = static_cast<char>(rng.Next());
    ByteReader in(bytes);
    (void)DecodeTxnRequest(in);
    ByteReader answer(bytes);
    (void)DecodeTxnResponse(answer);
  }
}

TEST(Codec, NestingIsBounded) {
  std::string bytes;
  for (int i = 0; i < 100000; ++i) bytes += std::string("\0\1\4", 3);
  ByteReader in(bytes);
  EXPECT_EQ(DecodeTxnRequest(in), std::nullopt);
}

}  // namespace
}  // namespace quorate::kv

#include "storage/memory/memory_state_store.h"

#include <gtest/gtest.h>

#include <atomic>
#include <map>
#include <thread>

#include "base/limits.h"
#include "base/rng.h"
#include "storage/memory/memory_log_store.h"

namespace quorate::storage {
namespace {

using Pairs = std::map<std::string, std::string>;

Pairs All(const kv::MapReader& map) {
  Pairs all;
  auto it = map.NewIterator();
  for (it->Seek(""); it->Valid(); it->Next()) all.emplace(it->key(), it->value());
  return all;
}

std::string ReadAll(SnapshotSource& source, size_t piece) {
  std::string all;
  while (true) {
    auto bytes = source.Read(all.size(), piece);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok() || bytes->empty()) return all;
    all += *bytes;
  }
}

TEST(MemoryStateStore, DoesWhatAnOrderedMapDoes) {
  Rng rng(1);
  MemoryStateStore store;
  Pairs model;
  for (int i = 0; i < 2000; ++i) {
    kv::MapBatch batch;
    for (uint64_t n = rng.Below(4); n-- > 0;) {
      const std::string key = "k" + std::to_string(rng.Below(300));
      if (rng.Chance(1, 3)) {
        batch.push_back({key, std::nullopt});
        model.erase(key);
      } else {
        batch.push_back({key, std::to_string(i)});
        model[key] = std::to_string(i);
      }
    }
    store.map().Write(batch);
    const std::string probe = "k" + std::to_string(rng.Below(320));
    const auto found = model.find(probe);
    ASSERT_EQ(store.map().Get(probe), found == model.end() ? std::nullopt : std::optional(found->second));
    auto it = store.map().NewIterator();
    it->Seek(probe);
    const auto lower = model.lower_bound(probe);
    ASSERT_EQ(it->Valid(), lower != model.end());
    if (it->Valid()) {
      ASSERT_EQ(it->key(), lower->first);
    }
    it->SeekForPrev(probe);
    const auto upper = model.upper_bound(probe);
    ASSERT_EQ(it->Valid(), upper != model.begin());
    if (it->Valid()) {
      ASSERT_EQ(it->key(), std::prev(upper)->first);
    }
  }
  EXPECT_EQ(All(store.map()), model);
  auto it = store.map().NewIterator();
  it->SeekForPrev("z");
  for (auto back = model.rbegin(); back != model.rend(); ++back, it->Prev())
    ASSERT_EQ(it->key(), back->first);
  EXPECT_FALSE(it->Valid());
}

TEST(MemoryStateStore, KeysSortAsUnsignedBytes) {
  MemoryStateStore store;
  store.map().Write({{"\xff", "high"}, {"\x01", "low"}, {std::string("\0", 1), "zero"}});
  auto it = store.map().NewIterator();
  it->Seek("");
  EXPECT_EQ(it->value(), "zero");
  it->Next();
  EXPECT_EQ(it->value(), "low");
  it->Next();
  EXPECT_EQ(it->value(), "high");
}

TEST(MemoryStateStore, AnIteratorSeesTheMapAsItWasWhenItWasMade) {
  MemoryStateStore store;
  store.map().Write({{"a", "1"}, {"b", "1"}});
  auto it = store.map().NewIterator();
  store.map().Write({{"a", "2"}, {"b", std::nullopt}, {"c", "2"}});
  it->Seek("");
  EXPECT_EQ(it->value(), "1");
  it->Next();
  EXPECT_EQ(it->key(), "b");
  it->Next();
  EXPECT_FALSE(it->Valid());
}

TEST(MemoryStateStore, LaterWritesOfAKeyInABatchWin) {
  MemoryStateStore store;
  store.map().Write({{"a", "1"}, {"a", std::nullopt}, {"b", "1"}, {"b", "2"}});
  EXPECT_EQ(All(store.map()), (Pairs{{"b", "2"}}));
}

TEST(MemoryStateStore, ACrashLosesWhatWasNotFlushed) {
  MemoryStateStore first;
  first.map().Write({{"a", "1"}});
  ASSERT_TRUE(first.Flush().ok());
  first.map().Write({{"a", "2"}, {"b", "2"}});
  MemoryStateStore second(first.FlushedImage());
  EXPECT_EQ(All(second.map()), (Pairs{{"a", "1"}}));
}

TEST(MemoryStateStore, ARestoredSnapshotReplacesAllKeysAndSurvivesACrash) {
  MemoryStateStore from;
  from.map().Write({{"a", "1"}, {"b", std::string(3000, 'x')}});
  MemoryStateStore to;
  to.map().Write({{"old", "1"}});
  kv::OrderedMap& map = to.map();
  auto source = from.TakeSnapshot();
  auto sink = to.BeginRestore();
  ASSERT_TRUE(sink.ok());
  ASSERT_TRUE((*sink)->Write(ReadAll(*source, 100)).ok());
  ASSERT_TRUE((*sink)->Verify().ok());
  ASSERT_TRUE((*sink)->Commit().ok());
  EXPECT_EQ(All(map), All(from.map()));
  EXPECT_EQ(All(MemoryStateStore(to.FlushedImage()).map()), All(from.map()));
}

TEST(MemoryStateStore, ACutOffSnapshotIsRefusedAndChangesNothing) {
  MemoryStateStore from;
  from.map().Write({{"a", "1"}, {"b", "2"}});
  auto source = from.TakeSnapshot();
  const std::string bytes = ReadAll(*source, 1 << 20);
  MemoryStateStore to;
  to.map().Write({{"old", "1"}});
  for (size_t n = 0; n < bytes.size(); ++n) {
    auto sink = to.BeginRestore();
    ASSERT_TRUE((*sink)->Write(bytes.substr(0, n)).ok());
    EXPECT_EQ((*sink)->Verify().status().code(), absl::StatusCode::kDataLoss);
  }
  EXPECT_EQ(All(to.map()), (Pairs{{"old", "1"}}));
}

TEST(MemoryStateStore, AnyFlippedBitOfASnapshotIsNoticed) {
  MemoryStateStore from;
  from.map().Write({{"a", "1"}, {"b", "2"}});
  const std::string bytes = ReadAll(*from.TakeSnapshot(), 1 << 20);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    std::string damaged = bytes;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    MemoryStateStore to;
    auto sink = to.BeginRestore();
    absl::Status status = (*sink)->Write(damaged);
    if (status.ok()) status = (*sink)->Verify().status();
    EXPECT_FALSE(status.ok()) << "bit " << bit;
  }
}

TEST(MemoryStateStore, EqualStatesGiveEqualSnapshotsHoweverTheyCameAbout) {
  MemoryStateStore a, b;
  for (int i = 0; i < 100; ++i) a.map().Write({{"k" + std::to_string(i), "v"}});
  for (int i = 99; i >= 0; --i) b.map().Write({{"k" + std::to_string(i), "old"}, {"gone", "x"}});
  for (int i = 0; i < 100; ++i) b.map().Write({{"k" + std::to_string(i), "v"}, {"gone", std::nullopt}});
  EXPECT_EQ(ReadAll(*a.TakeSnapshot(), 7), ReadAll(*b.TakeSnapshot(), 1000));
}

TEST(MemoryStateStore, TheLastChunkOfASnapshotCanBeAskedForAgainButNotOlderOnes) {
  MemoryStateStore store;
  for (int i = 0; i < 8; ++i) {
    store.map().Write({{"k" + std::to_string(i), std::string(limits::kSnapshotChunkBytes, 'x')}});
  }
  auto source = store.TakeSnapshot();
  std::string all;
  std::string last;
  while (true) {
    last = source->Read(all.size(), limits::kSnapshotChunkBytes).value();
    if (last.empty()) break;
    ASSERT_EQ(source->Read(all.size(), limits::kSnapshotChunkBytes).value(), last);
    all += last;
  }
  EXPECT_FALSE(source->Read(0, 10).ok());
  EXPECT_FALSE(source->Read(all.size() + 1, 10).ok());
}

TEST(MemoryStateStore, ReadersAndTheWriterNeedNoHelpFromOutside) {
  MemoryStateStore store;
  store.map().Write({{"a", "0"}, {"b", "0"}});
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      const Pairs all = All(store.map());
      ASSERT_EQ(all.at("a"), all.at("b"));  // a batch is atomic
      store.map().Get("a");
    }
  });
  for (int i = 1; i < 2000; ++i) store.map().Write({{"a", std::to_string(i)}, {"b", std::to_string(i)}});
  stop = true;
  reader.join();
}

raft::LogEntry Entry(uint64_t index, uint64_t term) {
  return {LogIndex{index}, Term{term}, raft::EntryType::kCommand, std::make_shared<const std::string>("x")};
}

TEST(MemoryLogStore, KeepsWhatWasWrittenAndReplacesSuffixes) {
  MemoryLogStore log;
  const LogWrite writes[] = {
      {.hard_state = raft::HardState{Term{1}, MemberId{2}}, .append = {Entry(1, 1), Entry(2, 1)}},
      {.append = {Entry(2, 2), Entry(3, 2)}}};
  ASSERT_TRUE(log.Write(writes).ok());
  const RecoveredLog back = MemoryLogStore(log.image()).Recover().value();
  EXPECT_EQ(back.hard_state.voted_for, MemberId{2});
  ASSERT_EQ(back.entries.size(), 3u);
  EXPECT_EQ(back.entries[1].term, Term{2});
  ASSERT_TRUE(log.Compact({LogIndex{2}, Term{2}, {}}).ok());
  EXPECT_EQ(log.image().entries.size(), 1u);
  const LogWrite install = {.install = raft::SnapshotMeta{LogIndex{9}, Term{3}, {}}};
  ASSERT_TRUE(log.Write({&install, 1}).ok());
  EXPECT_TRUE(log.image().entries.empty());
}

TEST(MemoryLogStore, AFailedWritePoisonsTheLog) {
  MemoryLogStore log;
  log.FailNext(absl::UnavailableError("EIO"));
  const LogWrite write = {.append = {Entry(1, 1)}};
  EXPECT_FALSE(log.Write({&write, 1}).ok());
  EXPECT_FALSE(log.Write({&write, 1}).ok());
  EXPECT_TRUE(log.image().entries.empty());
}

}  // namespace
}  // namespace quorate::storage

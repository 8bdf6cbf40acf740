#include "storage/rocks/rocks_state_store.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <fstream>
#include <map>
#include <thread>

#include "base/disk_fault.h"
#include "base/rng.h"

namespace quorate::storage {
namespace {

namespace fs = std::filesystem;
using Pairs = std::map<std::string, std::string>;
using ::testing::HasSubstr;

class RocksStateStoreTest : public ::testing::Test {
 protected:
  // A death test starts this program anew for its child, which finds the parent's directory here.
  static constexpr const char* kShared = "QUORATE_ROCKS_TEST_DIRECTORY";

  RocksStateStoreTest()
      : child_(::getenv(kShared) != nullptr),
        root_(child_ ? ::getenv(kShared) : ::mkdtemp(name_)),
        directory_(root_ + "/state") {
    GTEST_FLAG_SET(death_test_style, "threadsafe");
    ::setenv(kShared, root_.c_str(), 1);
  }
  ~RocksStateStoreTest() override {
    ::unsetenv(kShared);
    if (!child_) fs::remove_all(root_);
  }

  std::unique_ptr<StateStore> Open() {
    auto store = OpenRocksState(directory_, {});
    EXPECT_TRUE(store.ok()) << store.status();
    return store.ok() ? *std::move(store) : nullptr;
  }
  std::vector<std::string> Databases() const {
    std::vector<std::string> names;
    for (const auto& entry : fs::directory_iterator(directory_)) {
      if (entry.is_directory()) names.push_back(entry.path().filename());
    }
    return names;
  }

  char name_[40] = "/tmp/quorate-rocks-XXXXXX";
  const bool child_;
  const std::string root_, directory_;
};

Pairs All(const kv::MapReader& map) {
  Pairs all;
  auto it = map.NewIterator();
  for (it->Seek(""); it->Valid(); it->Next()) all.emplace(it->key(), it->value());
  return all;
}

std::string ReadAll(SnapshotSource& source, size_t piece = 1 << 16) {
  std::string all;
  while (true) {
    auto bytes = source.Read(all.size(), piece);
    EXPECT_TRUE(bytes.ok()) << bytes.status();
    if (!bytes.ok() || bytes->empty()) return all;
    all += *bytes;
  }
}

TEST_F(RocksStateStoreTest, DoesWhatAnOrderedMapDoes) {
  auto store = Open();
  Rng rng(1);
  Pairs model;
  for (int i = 0; i < 500; ++i) {
    kv::MapBatch batch;
    for (uint64_t n = rng.Below(5); n-- > 0;) {
      const std::string key(1, static_cast<char>(rng.Below(256)));
      if (rng.Chance(1, 3)) {
        batch.push_back({key, std::nullopt});
        model.erase(key);
      } else {
        batch.push_back({key, std::to_string(i)});
        model[key] = std::to_string(i);
      }
    }
    store->map().Write(batch);
    if (i % 100 == 50) {
      ASSERT_TRUE(store->Flush().ok());
    }
  }
  EXPECT_EQ(All(store->map()), model);
  auto it = store->map().NewIterator();
  it->SeekForPrev("\xff\xff");
  for (auto back = model.rbegin(); back != model.rend(); ++back, it->Prev())
    ASSERT_EQ(it->key(), back->first);
  EXPECT_FALSE(it->Valid());
  EXPECT_EQ(store->map().Get("nothing there"), std::nullopt);
}

TEST_F(RocksStateStoreTest, AnIteratorSeesTheMapAsItWas) {
  auto store = Open();
  store->map().Write({{"a", "1"}, {"b", "1"}});
  auto it = store->map().NewIterator();
  store->map().Write({{"a", "2"}, {"b", std::nullopt}});
  it->Seek("a");
  EXPECT_EQ(it->value(), "1");
  it->Next();
  EXPECT_EQ(it->key(), "b");
}

void WriteUntilKilled(const std::string& directory) {
  auto store = OpenRocksState(directory, {.write_buffer_bytes = 64 << 10}).value();
  for (int i = 1; i <= 2000; ++i) {
    store->map().Write({{"applied", std::to_string(i)}, {"data", std::to_string(i) + std::string(200, 'd')}});
    if (i == 500 && !store->Flush().ok()) ::_exit(2);
  }
  ::kill(::getpid(), SIGKILL);
}

TEST_F(RocksStateStoreTest, AKilledProcessLeavesWhatWasFlushedAndNoPartOfABatch) {
  EXPECT_EXIT(WriteUntilKilled(directory_), ::testing::KilledBySignal(SIGKILL), "");
  auto store = Open();
  const std::string applied = store->map().Get("applied").value();
  EXPECT_GE(std::stoi(applied), 500);
  EXPECT_EQ(store->map().Get("data"), applied + std::string(200, 'd'));
}

TEST_F(RocksStateStoreTest, ARestoreReplacesAllAndOldIteratorsKeepTheirState) {
  auto from = OpenRocksState(root_ + "/from", {}).value();
  for (int i = 0; i < 3000; ++i) from->map().Write({{"k" + std::to_string(i), std::string(1000, 'v')}});
  auto to = Open();
  to->map().Write({{"old", "1"}});
  kv::OrderedMap& map = to->map();
  auto old = map.NewIterator();
  const std::string bytes = ReadAll(*from->TakeSnapshot());
  auto sink = to->BeginRestore().value();
  for (size_t at = 0; at < bytes.size(); at += 50000) ASSERT_TRUE(sink->Write(bytes.substr(at, 50000)).ok());
  ASSERT_TRUE(sink->Verify().ok());
  ASSERT_TRUE(sink->Commit().ok());
  sink.reset();
  EXPECT_EQ(All(map), All(from->map()));
  old->Seek("");
  EXPECT_EQ(old->key(), "old");
  EXPECT_EQ(Databases().size(), 2u);
  old.reset();
  EXPECT_EQ(Databases(), (std::vector<std::string>{"state-2"}));
  EXPECT_EQ(ReadAll(*to->TakeSnapshot(), 777), bytes) << "equal states give equal streams";
  to.reset();
  EXPECT_EQ(All(Open()->map()), All(from->map()));
}

TEST_F(RocksStateStoreTest, AnUnfinishedOrDamagedRestoreChangesNothing) {
  auto store = Open();
  store->map().Write({{"a", "1"}});
  const std::string bytes = ReadAll(*store->TakeSnapshot());
  store->map().Write({{"a", "2"}});
  {
    auto sink = store->BeginRestore().value();
    ASSERT_TRUE(sink->Write(bytes.substr(0, bytes.size() - 1)).ok());
    EXPECT_EQ(sink->Verify().status().code(), absl::StatusCode::kDataLoss);
  }
  {
    std::string damaged = bytes;
    damaged[9] ^= 1;
    auto sink = store->BeginRestore().value();
    EXPECT_FALSE(sink->Write(damaged).ok() && sink->Verify().ok());
  }
  EXPECT_EQ(All(store->map()), (Pairs{{"a", "2"}}));
  EXPECT_EQ(Databases(), (std::vector<std::string>{"state-1"}));
}

TEST_F(RocksStateStoreTest, LeftoversOfAnInterruptedRestoreAreRemovedAtStart) {
  Open()->map().Write({{"a", "1"}});
  fs::create_directory(directory_ + "/state-7");
  std::ofstream(directory_ + "/state-7/junk") << "x";
  auto store = Open();
  EXPECT_EQ(Databases(), (std::vector<std::string>{"state-1"}));
  EXPECT_EQ(store->map().Get("a"), "1");
}

TEST_F(RocksStateStoreTest, AStateThatIsMissingOrDamagedIsSaidSo) {
  Open().reset();
  fs::rename(directory_ + "/CURRENT", directory_ + "/CURRENT.away");
  auto store = OpenRocksState(directory_, {});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(store.status().message()), HasSubstr("CURRENT"));
  std::ofstream(directory_ + "/CURRENT") << "state-5\n";
  store = OpenRocksState(directory_, {});
  EXPECT_EQ(store.status().code(), absl::StatusCode::kDataLoss);
  std::ofstream(directory_ + "/CURRENT") << "state-";
  EXPECT_EQ(OpenRocksState(directory_, {}).status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(RocksStateStoreTest, ADamagedTableStopsTheProcessWithItsName) {
  if (!child_) {
    auto store = Open();
    for (int i = 0; i < 2000; ++i) store->map().Write({{"k" + std::to_string(i), std::string(100, 'v')}});
    ASSERT_TRUE(store->Flush().ok());
  }
  for (const auto& entry : fs::directory_iterator(directory_ + "/state-1")) {
    if (entry.path().extension() != ".sst") continue;
    std::fstream file(entry.path(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(200);
    file.write("damage", 6);
  }
  EXPECT_EXIT(
      {
        auto store = OpenRocksState(directory_, {});
        if (store.ok()) All((*store)->map());
        ::_exit(0);
      },
      ::testing::ExitedWithCode(ExitCodeOf(DiskFault::kDamaged)),
      "disk fault: data-damaged: .*state-1.*Corruption");
}

// The only write that can be made to fail without help from outside.
void WriteAboveTheLimitOfAFile(const std::string& directory) {
  auto store = OpenRocksState(directory, {}).value();
  Rng rng(1);
  std::string value(1 << 16, 'v');
  for (char& c : value) c = static_cast<char>(rng.Below(256));
  store->map().Write({{"large", value}});
  ::signal(SIGXFSZ, SIG_IGN);
  const struct rlimit limit = {1 << 15, 1 << 15};
  ::setrlimit(RLIMIT_FSIZE, &limit);
  ::_exit(store->Flush().ok() ? 1 : 2);  // neither: it does not return
}

TEST_F(RocksStateStoreTest, AFailedWriteOfATableStopsTheProcessAndNamesTheFile) {
  EXPECT_EXIT(WriteAboveTheLimitOfAFile(directory_), ::testing::ExitedWithCode(ExitCodeOf(DiskFault::kWrite)),
              "disk fault: write-failed: applied state: cannot write .*\\.sst");
}

TEST_F(RocksStateStoreTest, ASecondOpenerIsRefused) {
  auto store = Open();
  const auto second = OpenRocksState(directory_, {});
  EXPECT_FALSE(second.ok());
  EXPECT_THAT(std::string(second.status().message()), HasSubstr("state-1"));
}

TEST_F(RocksStateStoreTest, ReadersWriterAndFlushNeedNoHelpFromOutside) {
  auto store = Open();
  store->map().Write({{"a", "0"}, {"b", "0"}});
  std::atomic<bool> stop = false;
  std::thread reader([&] {
    while (!stop) {
      const Pairs all = All(store->map());
      ASSERT_EQ(all.at("a"), all.at("b"));
    }
  });
  std::thread flusher([&] {
    while (!stop) ASSERT_TRUE(store->Flush().ok());
  });
  for (int i = 1; i < 1000; ++i) store->map().Write({{"a", std::to_string(i)}, {"b", std::to_string(i)}});
  stop = true;
  reader.join();
  flusher.join();
}

}  // namespace
}  // namespace quorate::storage

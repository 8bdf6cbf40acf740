// A snapshot file's way: out of a state, looked into, and into the data directory of a new group.
#include "app/restore.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "app/seed.h"
#include "app/snapshot_source.h"
#include "base/status_macros.h"
#include "raft/codec.h"
#include "replica/recovery.h"
#include "replica/state_worker.h"
#include "rsm/replicated_state.h"
#include "storage/data_directory.h"
#include "storage/memory/memory_state_store.h"
#include "storage/rocks/rocks_state_store.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal.h"

namespace quorate::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class RestoreTest : public testing::Test {
 protected:
  RestoreTest() {
    directory_ = testing::TempDir() + "/restore_XXXXXX";
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    options.file = directory_ + "/group.snapshot";
    options.data_dir = directory_ + "/d1";
    options.replica_id = 1;
    options.members = {"1=127.0.0.1:7101", "2=127.0.0.1:7102", "3=127.0.0.1:7103/learner"};
    state.Reload();
    rsm::Command command;
    command.body = *MakeSeed({"example.org.", "org."}, {"192.0.2.1", "192.0.2.2"});
    Apply(rsm::EncodeCommand(command));
    raft::Configuration configuration;
    configuration.members = {{.id = MemberId{1}, .address = "127.0.0.1:1"}};
    configuration.timing = raft::WanTiming();
    configuration.leases_on = true;
    store.map().Write({{std::string(replica::kConfigurationKey), raft::EncodeConfiguration(configuration)}});
  }
  ~RestoreTest() override { fs::remove_all(directory_); }

  void Apply(const std::string& command) {
    const std::string payload = rsm::StampCommand({std::chrono::seconds(++index_), WallTime{}}, command);
    state.Apply({LogIndex{index_}, Term{4}, true, payload});
  }
  std::string File() {
    auto parts = OpenSnapshot(store.map(), GroupId{3}, "org", {std::chrono::seconds(1'700'000'000)});
    EXPECT_TRUE(parts.ok()) << parts.status();
    std::string all;
    for (auto part = (*parts)(); part.ok() && !part->empty(); part = (*parts)()) all += *part;
    return all;
  }
  void Save(const std::string& bytes) { std::ofstream(options.file, std::ios::binary) << bytes; }
  void ExpectRefused(absl::StatusCode code, const std::string& part) {
    const auto restored = Restore(options);
    ASSERT_FALSE(restored.ok());
    EXPECT_EQ(restored.status().code(), code) << restored.status();
    EXPECT_THAT(MessageOf(restored.status()), HasSubstr(part));
    EXPECT_FALSE(fs::exists(directory_ + "/d1.restoring"));
  }

  std::string directory_;
  uint64_t index_ = 0;
  storage::MemoryStateStore store;
  rsm::ReplicatedState state{store.map(), {}};
  RestoreOptions options;
};

TEST_F(RestoreTest, TheSummarySaysWhatIsInTheFile) {
  Save(File());
  const auto summary = CheckSnapshotFile(options.file);
  ASSERT_TRUE(summary.ok()) << summary.status();
  EXPECT_EQ(summary->meta.group, GroupId{3});
  EXPECT_EQ(summary->meta.index, LogIndex{1});
  EXPECT_EQ(summary->meta.state_hash, state.state_hash());
  ASSERT_EQ(summary->zones.size(), 2u);
  EXPECT_EQ(summary->zones[0].apex, "example.org.");
  EXPECT_EQ(summary->zones[0].serial, 1u);
  EXPECT_EQ(summary->zones[0].records, 5u) << "SOA, two NS, two addresses";
  EXPECT_EQ(summary->bytes, fs::file_size(options.file));
}

TEST_F(RestoreTest, TheNewGroupBeginsWithAllOfTheStateAndItsOwnMembers) {
  Save(File());
  options.group_id = 9;
  const auto restored = Restore(options);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_EQ(restored->group, GroupId{9});
  EXPECT_FALSE(fs::exists(directory_ + "/d1.restoring"));

  // As a replica starts on it.
  auto directory = storage::DataDirectory::Open(options.data_dir);
  ASSERT_TRUE(directory.ok()) << directory.status();
  EXPECT_EQ((*directory)->identity().group, GroupId{9});
  EXPECT_EQ((*directory)->identity().member, MemberId{1});
  EXPECT_TRUE((*directory)->identity().has_log);
  storage::PosixFileSystem files;
  auto log = storage::OpenWal(files, (*directory)->wal_path(), {.expect_existing = true});
  ASSERT_TRUE(log.ok()) << log.status();
  auto opened = storage::OpenRocksState((*directory)->state_path(), {});
  ASSERT_TRUE(opened.ok()) << opened.status();
  rsm::ReplicatedState again((*opened)->map(), {});
  const auto found = replica::Recover(**log, **opened, again, {});
  ASSERT_TRUE(found.ok()) << found.status();
  EXPECT_EQ(found->state.index, LogIndex{1});
  EXPECT_EQ(found->state.term, Term{4});
  EXPECT_EQ(found->state.hash, state.state_hash());
  EXPECT_EQ(found->state.group_time, state.group_time());
  EXPECT_EQ(found->restored.hard_state.current_term, Term{4});
  const raft::Configuration& configuration = found->restored.base.configuration;
  ASSERT_EQ(configuration.members.size(), 3u);
  EXPECT_EQ(configuration.members[1].address, "127.0.0.1:7102");
  EXPECT_FALSE(configuration.members[2].voter);
  EXPECT_EQ(configuration.timing.heartbeat, raft::WanTiming().heartbeat);
  EXPECT_TRUE(configuration.leases_on);
  ASSERT_EQ(again.zones()->size(), 2u);
}

TEST_F(RestoreTest, EveryMemberGetsTheSameState) {
  Save(File());
  options.group_id = 9;
  std::vector<std::string> files;
  for (const uint64_t member : {1, 2}) {
    options.replica_id = member;
    options.data_dir = directory_ + "/d" + std::to_string(member);
    ASSERT_TRUE(Restore(options).ok());
    auto opened = storage::OpenRocksState(options.data_dir + "/state", {});
    ASSERT_TRUE(opened.ok());
    files.push_back(*(*opened)->TakeSnapshot()->Read(0, 1 << 20));
  }
  EXPECT_TRUE(files[0] == files[1]);
}

TEST_F(RestoreTest, ANumberIsDrawnWhereNoneIsGivenAndTheOldOneIsRefused) {
  Save(File());
  options.group_id = 3;
  ExpectRefused(absl::StatusCode::kInvalidArgument, "needs a new number");
  options.group_id = 0;
  const auto restored = Restore(options);
  ASSERT_TRUE(restored.ok()) << restored.status();
  EXPECT_NE(restored->group, GroupId{3});
  EXPECT_NE(restored->group, GroupId{0});
}

TEST_F(RestoreTest, WhatExistsIsNotWrittenInto) {
  Save(File());
  fs::create_directory(options.data_dir);
  std::ofstream(options.data_dir + "/something") << "precious";
  ExpectRefused(absl::StatusCode::kAlreadyExists, "not an empty directory");
  fs::remove(options.data_dir + "/something");
  EXPECT_TRUE(Restore(options).ok()) << "an empty directory is as good as none";
}

TEST_F(RestoreTest, ADamagedFileMakesNothing) {
  std::string bytes = File();
  bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
  Save(bytes);
  ExpectRefused(absl::StatusCode::kDataLoss, "group.snapshot: damaged");
  Save(File().substr(0, 1000));
  ExpectRefused(absl::StatusCode::kDataLoss, "cut off at byte 1000");
  EXPECT_FALSE(fs::exists(options.data_dir));
}

// All sums are right, but what they are of is not.
TEST_F(RestoreTest, AFileThatIsOfAnotherStateThanItSaysIsRefused) {
  const auto with = [&](const std::function<void(storage::SnapshotFileMeta&)>& change,
                        const kv::MapBatch& writes = {}) {
    storage::SnapshotFileMeta meta{.group = GroupId{3},
                                   .index = state.applied_index(),
                                   .term = state.applied_term(),
                                   .state_hash = state.state_hash(),
                                   .revision = Revision{2}};
    change(meta);
    storage::MemoryStateStore changed(store.FlushedImage());
    const auto it = store.map().NewIterator();
    for (it->Seek(""); it->Valid(); it->Next())
      changed.map().Write({{std::string(it->key()), std::string(it->value())}});
    changed.map().Write(writes);
    storage::SnapshotFileWriter writer(meta, changed.TakeSnapshot());
    std::string all;
    for (auto part = writer.Next(1 << 20); part.ok() && !part->empty(); part = writer.Next(1 << 20))
      all += *part;
    Save(all);
    return MessageOf(CheckSnapshotFile(options.file).status());
  };
  EXPECT_EQ(with([](auto&) {}), "");
  EXPECT_THAT(with([](auto& meta) { meta.index = LogIndex{2}; }), HasSubstr("its state is of entry 1"));
  EXPECT_THAT(with([](auto& meta) { meta.state_hash ^= 1; }), HasSubstr("its header says"));
  EXPECT_THAT(with([](auto& meta) { meta.revision = Revision{7}; }), HasSubstr("its store is at 2"));
  EXPECT_THAT(with([](auto&) {}, {{"mapplied", "nonsense"}}), HasSubstr("applied mark"));
  EXPECT_THAT(with([](auto&) {}, {{"mapplied", std::nullopt}}), HasSubstr("there is no applied mark"));
  EXPECT_THAT(with([](auto&) {}, {{"Rconfiguration", "nonsense"}}),
              HasSubstr("configuration does not decode"));
}

TEST_F(RestoreTest, TheMembersMustMakeAGroup) {
  Save(File());
  options.members = {"2=127.0.0.1:7102"};
  ExpectRefused(absl::StatusCode::kInvalidArgument, "does not list this replica");
  options.members = {"1=localhost"};
  ExpectRefused(absl::StatusCode::kInvalidArgument, "--members");
}

}  // namespace
}  // namespace quorate::app

#include "storage/wal/wal.h"

#include <stdlib.h>

#include <map>

#include "base/limits.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal_test_util.h"

namespace quorate::storage::wal {
namespace {

using ::testing::HasSubstr;

TEST(Wal, ANewLogIsEmptyAndStaysEmpty) {
  LoggedDisk d;
  d.StartOk();
  d.StartOk();
  EXPECT_FALSE(d.Start()->torn_tail);
}

TEST(Wal, GivesBackWhatWasWritten) {
  LoggedDisk d;
  d.StartOk();
  raft::LogEntry no_op{LogIndex{1}, Term{2}, raft::EntryType::kNoOp, nullptr};
  raft::LogEntry configuration = Entry(2, 2, "c");
  configuration.type = raft::EntryType::kConfiguration;
  ASSERT_TRUE(d.Write({.hard_state = State(2, 3), .append = {no_op, configuration, Entry(3, 2, "")}}).ok());
  const RecoveredLog back = d.Start().value();
  EXPECT_EQ(Describe(back), Describe(d.model));
  EXPECT_EQ(back.entries[0].payload, nullptr);
  ASSERT_NE(back.entries[2].payload, nullptr);
  EXPECT_EQ(*back.entries[2].payload, "");
}

TEST(Wal, OneWriteAndOneSyncHoweverManyWaited) {
  LoggedDisk d;
  std::map<std::string, int> count;
  d.StartOk({.segment_bytes = 1 << 20, .prepare_in_background = false, .id_seed = 1});
  d.disk.OnOperation([&](std::string_view kind, const std::string&) { ++count[std::string(kind)]; });
  std::vector<LogWrite> batch;
  for (uint64_t i = 1; i <= 100; ++i) batch.push_back({.hard_state = State(i, 1), .append = {Entry(i, i)}});
  ASSERT_TRUE(d.log->Write(batch).ok());
  EXPECT_EQ(count, (std::map<std::string, int>{{"write", 1}, {"sync", 1}}));
  EXPECT_EQ(d.Start()->entries.size(), 100u);
}

TEST(Wal, NothingToWriteCostsNothing) {
  LoggedDisk d;
  d.StartOk();
  const uint64_t before = d.disk.operations();
  ASSERT_TRUE(d.Write({}).ok());
  ASSERT_TRUE(d.log->Write({}).ok());
  EXPECT_EQ(d.disk.operations(), before);
}

TEST(Wal, AnAppendReplacesTheSuffixFromItsFirstIndexOn) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 30);
  ASSERT_TRUE(d.Write({.append = {Entry(5, 2, "new"), Entry(6, 2, "new")}}).ok());
  d.StartOk();
  d.Fill(7, 9, 3);
  d.StartOk();
  ASSERT_TRUE(d.Write({.append = {Entry(1, 4)}}).ok());
  d.StartOk();
}

TEST(Wal, AnInstallDropsTheLogOrKeepsItsSuffix) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 10);
  ASSERT_TRUE(d.Write({.install = Meta(6, 1), .keep_log_suffix = true}).ok());
  EXPECT_EQ(d.model.entries.size(), 4u);
  d.StartOk();
  ASSERT_TRUE(d.Write({.install = Meta(8, 2), .hard_state = State(2, 0), .append = {Entry(9, 2)}}).ok());
  EXPECT_EQ(d.model.entries.size(), 1u);
  d.StartOk();
  ASSERT_TRUE(d.Write({.install = Meta(50, 3), .keep_log_suffix = true, .append = {Entry(51, 3)}}).ok());
  d.StartOk();
  EXPECT_EQ(d.model.base.configuration, Members(3));
}

TEST(Wal, CompactionDropsWholeSegmentsAndRemembersTheConfiguration) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 60);
  const size_t segments = d.Segments().size();
  const size_t bytes = d.log->bytes();
  ASSERT_GT(segments, 8u);
  ASSERT_TRUE(d.Compact(Meta(40, 1, 5)).ok());
  EXPECT_LE(d.Segments().size(), segments / 2);
  EXPECT_LT(d.log->bytes(), bytes / 2);
  d.StartOk();
  EXPECT_EQ(d.Start()->base.configuration, Members(5));
  ASSERT_TRUE(d.Compact(Meta(20, 1)).ok());  // older: nothing happens
  d.StartOk();
  d.Fill(61, 70);
  d.StartOk();
}

TEST(Wal, CompactionAfterARestartDropsTheSegmentsOfBefore) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 60);
  d.StartOk();
  const size_t segments = d.Segments().size();
  ASSERT_TRUE(d.Compact(Meta(60, 1)).ok());
  EXPECT_LE(d.Segments().size(), 2u);
  EXPECT_GT(segments, 8u);
  d.StartOk();
}

TEST(Wal, ASegmentWithAReplacedSuffixDoesNotHoldCompactionBack) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 40);
  ASSERT_TRUE(d.Write({.append = {Entry(3, 2)}}).ok());
  ASSERT_TRUE(d.Compact(Meta(2, 1)).ok());
  EXPECT_LE(d.Segments().size(), 2u);
  d.StartOk();
}

TEST(Wal, EverySegmentOpensWithHardStateAndConfiguration) {
  LoggedDisk d;
  d.StartOk();
  ASSERT_TRUE(d.Write({.install = Meta(10, 3), .hard_state = State(4, 2)}).ok());
  d.Fill(11, 60, 4);
  ASSERT_TRUE(d.Compact(Meta(58, 4, 5)).ok());
  // The segment with the INSTALL and the vote is gone by now.
  d.StartOk();
  EXPECT_EQ(d.model.hard_state, State(4, 2));
}

TEST(Wal, ABatchLargerThanASegmentGetsASegmentThatFits) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 3);
  ASSERT_TRUE(d.Write({.append = {Entry(4, 1, std::string(20 * kSmallSegment, 'L'))}}).ok());
  d.Fill(5, 12);
  d.StartOk();
}

TEST(Wal, TheLargestCommandFits) {
  LoggedDisk d;
  d.StartOk({.prepare_in_background = false, .id_seed = 1});
  d.Fill(1, 3);
  ASSERT_TRUE(d.Write({.append = {Entry(4, 1, std::string(limits::kCommandBytesMax, 'L'))}}).ok());
  d.Fill(5, 6);
  const RecoveredLog back = d.Start().value();
  ASSERT_EQ(back.entries.size(), 6u);
  EXPECT_EQ(back.entries[3].bytes(), limits::kCommandBytesMax);
}

TEST(Wal, AWriteErrorPoisonsTheLogAndLosesNothingAcknowledged) {
  for (const bool on_sync : {false, true}) {
    LoggedDisk d;
    d.StartOk();
    d.Fill(1, 2);
    d.disk.FailAt(d.disk.operations() + (on_sync ? 2 : 1), DiskFault::kIoError);
    EXPECT_FALSE(d.Write({.append = {Entry(3, 1)}}).ok());
    const uint64_t operations = d.disk.operations();
    const absl::Status again = d.Write({.append = {Entry(3, 1)}});
    EXPECT_THAT(std::string(again.message()), HasSubstr("Input/output error"));
    EXPECT_FALSE(d.Compact(Meta(1, 1)).ok());
    EXPECT_EQ(d.disk.operations(), operations) << "a poisoned log touches the disk no more";
    d.disk.Crash(Unsynced::kLost);
    const RecoveredLog back = d.Start().value();
    EXPECT_GE(back.entries.size(), 2u);
  }
}

// The process ends after a failed sync, but the machine goes on: the page cache shows the batch, the disk
// lacks it.
TEST(Wal, WhatARestartFoundSurvivesThePowerCutAfterItEvenIfAnEarlierSyncFailed) {
  for (uint64_t seed = 0; seed < 50; ++seed) {
    LoggedDisk d(seed);
    d.StartOk();
    d.Fill(1, 2);
    d.disk.FailAt(d.disk.operations() + 2, DiskFault::kIoError);
    ASSERT_FALSE(d.Write({.append = {Entry(3, 1, std::string(1000, 'z'))}}).ok());
    const auto found = d.Start();
    ASSERT_TRUE(found.ok());
    ASSERT_EQ(found->entries.size(), 3u);
    d.disk.Crash(Unsynced::kLost);
    const auto back = d.Start();
    ASSERT_TRUE(back.ok()) << back.status();
    EXPECT_EQ(Describe(*back), Describe(*found));
  }
}

TEST(Wal, AFullDiskIsAClearErrorAndTheLogIsWhole) {
  LoggedDisk d;
  d.StartOk();
  d.disk.SetCapacity(3 * kSmallSegment + 100);
  absl::Status status;
  for (uint64_t i = 1; status.ok() && i < 100; ++i)
    status = d.Write({.append = {Entry(i, 1, std::string(300, 'f'))}});
  EXPECT_EQ(status.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_THAT(std::string(status.message()), HasSubstr("No space left"));
  EXPECT_THAT(std::string(status.message()), HasSubstr("cannot prepare a log segment"));
  d.StartOk();
  d.disk.SetCapacity(1 << 20);
  d.StartOk();
  d.Fill(d.model.entries.size() + 1, 60);
  d.StartOk();
}

TEST(Wal, AFullDiskWhileALogBeginsIsAnErrorAndTheNextStartSucceeds) {
  LoggedDisk d;
  d.disk.SetCapacity(100);
  EXPECT_EQ(d.Start().status().code(), absl::StatusCode::kResourceExhausted);
  d.disk.SetCapacity(1 << 20);
  d.StartOk();
}

TEST(Wal, ALogThatWasThereAndIsGoneIsDamageNotANewLog) {
  LoggedDisk d;
  WalOptions options = Small();
  options.expect_existing = true;
  EXPECT_EQ(d.Start(options).status().code(), absl::StatusCode::kDataLoss);
  ASSERT_TRUE(d.disk.CreateDirectory("wal").ok());
  EXPECT_EQ(d.Start(options).status().code(), absl::StatusCode::kDataLoss);
  d.StartOk();
  d.StartOk(options);
}

TEST(Wal, AfterAFailedRecoveryNothingIsWritten) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 3);
  d.disk.FlipBit(d.Segments()[0], 3 * kSectorBytes * 8);
  EXPECT_EQ(d.Start().status().code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(d.Write({.append = {Entry(4, 1)}}).code(), absl::StatusCode::kDataLoss);
}

TEST(Wal, LeftoverSparesAndForeignFilesAreNoSegments) {
  LoggedDisk d;
  d.StartOk();
  d.Fill(1, 3);
  d.disk.SetContent("wal/spare.tmp", "half made");
  d.disk.SetContent("wal/README", "hello");
  d.disk.SetContent("wal/0000000000000000.wal", "");
  d.disk.SetContent("wal/000000000000000G.wal", "");
  d.StartOk();
  d.Fill(4, 20);
  d.StartOk();
}

class TemporaryDirectory {
 public:
  TemporaryDirectory() { path_ = ::mkdtemp(name_); }
  ~TemporaryDirectory() {
    PosixFileSystem files;
    const std::vector<std::string> names = files.List(path_ + "/wal").value_or(std::vector<std::string>{});
    for (const std::string& name : names) files.Remove(path_ + "/wal/" + name).IgnoreError();
    ::rmdir((path_ + "/wal").c_str());
    ::rmdir(path_.c_str());
  }
  const std::string& path() const { return path_; }

 private:
  char name_[32] = "/tmp/quorate-wal-XXXXXX";
  std::string path_;
};

TEST(Wal, WorksOnARealDiskWithSegmentsPreparedInTheBackground) {
  TemporaryDirectory directory;
  PosixFileSystem files;
  const WalOptions options = {.segment_bytes = 16384};
  RecoveredLog model;
  for (uint64_t start = 0; start < 3; ++start) {
    auto log = OpenWal(files, directory.path() + "/wal", options).value();
    const auto back = log->Recover();
    ASSERT_TRUE(back.ok()) << back.status();
    ASSERT_EQ(Describe(*back), Describe(model));
    for (uint64_t i = 1; i <= 100; ++i) {
      const uint64_t index = start * 100 + i;
      const LogWrite write = {.append = {Entry(index, 1, std::string(i * 7, 'r'))}};
      ASSERT_TRUE(log->Write({&write, 1}).ok());
      ApplyLogWrite(write, model);
    }
    ASSERT_TRUE(log->Compact(Meta(start * 100 + 50, 1)).ok());
    CompactLog(Meta(start * 100 + 50, 1), model);
  }
}

TEST(Wal, ADirectoryThatCannotBeMadeIsNamed) {
  PosixFileSystem files;
  const auto log = OpenWal(files, "/proc/quorate-no-such-place/wal", {}).value()->Recover();
  EXPECT_THAT(std::string(log.status().message()), HasSubstr("/proc/quorate-no-such-place/wal"));
}

}  // namespace
}  // namespace quorate::storage::wal

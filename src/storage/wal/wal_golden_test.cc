// tests/data/wal: logs as version 1 wrote them. They are read for ever, and version 1 writes them to this
// day. To add one for a new version: write its case here and run with QUORATE_WRITE_GOLDEN=1; never rewrite
// an old one.
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "storage/wal/wal_test_util.h"

namespace quorate::storage::wal {
namespace {

namespace fs = std::filesystem;

const fs::path kGolden = fs::path(QUORATE_SOURCE_DIR) / "tests" / "data" / "wal";

std::string ReadFile(const fs::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void LoadGolden(const std::string& name, FaultyFileSystem& disk) {
  ASSERT_TRUE(fs::is_directory(kGolden / name)) << kGolden / name;
  for (const auto& file : fs::directory_iterator(kGolden / name)) {
    disk.SetContent("wal/" + file.path().filename().string(), ReadFile(file.path()));
  }
}

void CompareWithGolden(const std::string& name, const FaultyFileSystem& disk) {
  for (const std::string& path : disk.Paths()) {
    const fs::path golden = kGolden / name / fs::path(path).filename();
    if (std::getenv("QUORATE_WRITE_GOLDEN") != nullptr && !fs::exists(golden)) {
      fs::create_directories(golden.parent_path());
      std::ofstream(golden, std::ios::binary) << disk.Content(path);
    }
    EXPECT_TRUE(disk.Content(path) == ReadFile(golden)) << golden << " differs from what is written today";
  }
}

// Every record type, several segments, a replaced suffix, an install, a compaction.
void WriteV1(LoggedDisk& d) {
  d.StartOk(Small(1));
  raft::LogEntry configuration = Entry(2, 1, "configuration");
  configuration.type = raft::EntryType::kConfiguration;
  const raft::LogEntry no_op{LogIndex{1}, Term{1}, raft::EntryType::kNoOp, nullptr};
  ASSERT_TRUE(d.Write({.hard_state = State(1, 2), .append = {no_op, configuration, Entry(3, 1, "")}}).ok());
  d.Fill(4, 9, 1, 600);
  ASSERT_TRUE(d.Write({.hard_state = State(2, 0), .append = {Entry(8, 2, "replaces"), Entry(9, 2)}}).ok());
  ASSERT_TRUE(d.Compact(Meta(7, 1, 3)).ok());
  ASSERT_TRUE(d.Write({.install = Meta(8, 2, 5), .keep_log_suffix = true}).ok());
  d.Fill(10, 12, 2, 300);
}

constexpr const char* kV1 =
    "term 2 vote 0 base 8/2 members 127.0.0.1:4001 127.0.0.1:4002 127.0.0.1:4003 127.0.0.1:4004 "
    "127.0.0.1:4005\n"
    "9/2 type 1 x\n"
    "10/2 type 1 300 bytes kkkkkkkkkkkkkkkkkkkk\n"
    "11/2 type 1 300 bytes llllllllllllllllllll\n"
    "12/2 type 1 300 bytes mmmmmmmmmmmmmmmmmmmm";

TEST(WalGolden, Version1IsWrittenAsEver) {
  LoggedDisk d;
  WriteV1(d);
  EXPECT_EQ(Describe(d.model), kV1);
  CompareWithGolden("v1", d.disk);
}

TEST(WalGolden, Version1IsRead) {
  LoggedDisk d;
  LoadGolden("v1", d.disk);
  const auto log = d.Start();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_EQ(Describe(*log), kV1);
  EXPECT_FALSE(log->torn_tail);
  d.model = *log;
  d.Fill(13, 30, 3);
  d.StartOk();
}

// The last sector of the last batch never reached the disk.
TEST(WalGolden, ATornTailOfVersion1IsDropped) {
  if (std::getenv("QUORATE_WRITE_GOLDEN") != nullptr) {
    LoggedDisk d;
    d.StartOk(Small(2));
    d.Fill(1, 1);
    d.Fill(2, 2, 1, 700);
    d.disk.ZeroSector("wal/0000000000000001.wal", 5 - 1);
    CompareWithGolden("v1-torn", d.disk);
  }
  LoggedDisk d;
  LoadGolden("v1-torn", d.disk);
  const auto log = d.Start();
  ASSERT_TRUE(log.ok()) << log.status();
  EXPECT_TRUE(log->torn_tail);
  EXPECT_EQ(log->entries.size(), 1u);
}

// As above, with a bit flipped in the batch before.
TEST(WalGolden, DamageInVersion1IsRefused) {
  LoggedDisk d;
  LoadGolden("v1-torn", d.disk);
  d.disk.FlipBit("wal/0000000000000001.wal", (2 * kSectorBytes + 50) * 8);
  EXPECT_EQ(d.Start().status().code(), absl::StatusCode::kDataLoss);
}

}  // namespace
}  // namespace quorate::storage::wal

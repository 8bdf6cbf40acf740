#include "storage/faulty/faulty_file_system.h"

#include <gtest/gtest.h>

namespace quorate::storage {
namespace {

constexpr size_t kSector = FaultyFileSystem::kSectorBytes;

class FaultyFileSystemTest : public ::testing::Test {
 protected:
  // A synced file of four sectors of 'o' with a synced name.
  void Prepare(uint64_t seed = 1) {
    disk = std::make_unique<FaultyFileSystem>(seed);
    ASSERT_TRUE(disk->CreateDirectory("d").ok());
    file = disk->Create("d/f").value();
    ASSERT_TRUE(file->WriteAt(0, std::string(4 * kSector, 'o')).ok());
    ASSERT_TRUE(file->Sync().ok());
    ASSERT_TRUE(disk->SyncDirectory("d").ok());
  }
  std::unique_ptr<FaultyFileSystem> disk;
  std::unique_ptr<File> file;
};

TEST_F(FaultyFileSystemTest, ACrashKeepsWhatWasSyncedAndMayLoseTheRest) {
  Prepare();
  ASSERT_TRUE(file->WriteAt(kSector, std::string(kSector, 'n')).ok());
  disk->Crash(Unsynced::kLost);
  EXPECT_EQ(disk->Content("d/f"), std::string(4 * kSector, 'o'));
}

TEST_F(FaultyFileSystemTest, ACrashTearsAtSectorsAndNeverInsideOne) {
  bool some_torn = false;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    Prepare(seed);
    ASSERT_TRUE(file->WriteAt(0, std::string(4 * kSector, 'n')).ok());
    disk->Crash();
    const std::string content = disk->Content("d/f");
    size_t changed = 0;
    for (size_t at = 0; at < content.size(); at += kSector) {
      const std::string sector = content.substr(at, kSector);
      ASSERT_EQ(sector, std::string(kSector, sector[0]));
      changed += sector[0] == 'n';
    }
    some_torn |= changed > 0 && changed < 4;
  }
  EXPECT_TRUE(some_torn);
}

TEST_F(FaultyFileSystemTest, AFailedSyncLosesBytesThatCanStillBeRead) {
  Prepare();
  ASSERT_TRUE(file->WriteAt(0, std::string(4 * kSector, 'n')).ok());
  disk->FailAt(disk->operations() + 1, DiskFault::kIoError);
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_TRUE(file->Sync().ok()) << "the retried sync lies, as Linux's does";
  EXPECT_EQ(file->ReadAll().value(), std::string(4 * kSector, 'n'));
  disk->Crash(Unsynced::kKept);
  EXPECT_NE(disk->Content("d/f"), std::string(4 * kSector, 'n'));
}

TEST_F(FaultyFileSystemTest, NamesAreDurableOnlyAfterTheirDirectoryWasSynced) {
  Prepare();
  ASSERT_TRUE(disk->Rename("d/f", "d/g").ok());
  disk->Crash(Unsynced::kLost);
  EXPECT_EQ(disk->Paths(), (std::vector<std::string>{"d/f"}));
  ASSERT_TRUE(disk->Rename("d/f", "d/g").ok());
  ASSERT_TRUE(disk->SyncDirectory("d").ok());
  disk->Crash(Unsynced::kLost);
  EXPECT_EQ(disk->Paths(), (std::vector<std::string>{"d/g"}));
}

TEST_F(FaultyFileSystemTest, AfterAPowerCutNothingWorksUntilTheCrash) {
  Prepare();
  disk->FailAt(disk->operations() + 1, DiskFault::kPowerCut);
  EXPECT_FALSE(file->WriteAt(0, "x").ok());
  EXPECT_FALSE(file->Sync().ok());
  EXPECT_FALSE(disk->Open("d/f").ok());
  EXPECT_FALSE(disk->List("d").ok());
  disk->Crash();
  EXPECT_FALSE(file->ReadAll().ok()) << "handles do not outlive the machine";
  EXPECT_TRUE(disk->Open("d/f").ok());
}

TEST_F(FaultyFileSystemTest, AFullDiskTakesNoMoreButOverwritesStillWork) {
  Prepare();
  disk->SetCapacity(5 * kSector);
  EXPECT_TRUE(file->WriteAt(0, std::string(4 * kSector, 'n')).ok());
  EXPECT_EQ(file->WriteAt(4 * kSector, std::string(2 * kSector, 'n')).code(),
            absl::StatusCode::kResourceExhausted);
}

TEST_F(FaultyFileSystemTest, TheSameSeedGivesTheSameCrash) {
  std::string contents[2];
  for (std::string& content : contents) {
    Prepare(77);
    ASSERT_TRUE(file->WriteAt(0, std::string(4 * kSector, 'n')).ok());
    disk->Crash();
    content = disk->Content("d/f");
  }
  EXPECT_EQ(contents[0], contents[1]);
}

}  // namespace
}  // namespace quorate::storage

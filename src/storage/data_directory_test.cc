#include "storage/data_directory.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "absl/strings/str_format.h"
#include "base/crc32c.h"
#include "storage/atomic_file.h"

namespace quorate::storage {
namespace {

namespace fs = std::filesystem;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;

class DataDirectoryTest : public ::testing::Test {
 protected:
  DataDirectoryTest() : root_(::mkdtemp(name_)), path_(root_ + "/data") {}
  ~DataDirectoryTest() override { fs::remove_all(root_); }

  void ExpectRefused(absl::StatusCode code, const std::string& part) {
    const auto opened = DataDirectory::Open(path_);
    ASSERT_FALSE(opened.ok());
    EXPECT_EQ(opened.status().code(), code) << opened.status();
    EXPECT_THAT(std::string(opened.status().message()), HasSubstr(part));
  }

  char name_[40] = "/tmp/quorate-data-XXXXXX";
  const std::string root_, path_;
};

TEST_F(DataDirectoryTest, ANewOneHasAUuidAndNoMember) {
  const auto data = DataDirectory::Open(path_).value();
  EXPECT_TRUE(::testing::Matches(MatchesRegex("[0-9a-f-]+"))(data->identity().uuid));
  EXPECT_EQ(data->identity().uuid.size(), 36u);
  EXPECT_EQ(data->identity().member, MemberId{0});
  EXPECT_EQ(data->identity().incarnation, 1u);
  EXPECT_FALSE(data->identity().has_log);
  EXPECT_NE(data->identity().instance, 0u);
  EXPECT_EQ(data->identity().repairs, 0u);
}

TEST_F(DataDirectoryTest, IdentitiesOfEveryVersionAreReadForEver) {
  Identity written{.uuid = "6f1d0c9e-8d0e-4c3b-9a2c-5b7f0f2f1a11",
                   .group = GroupId{3},
                   .member = MemberId{2},
                   .incarnation = 17,
                   .has_log = true};
  const std::string golden = QUORATE_SOURCE_DIR "/tests/data/identity/";
  EXPECT_EQ(DecodeIdentity(ReadSmallFile(golden + "v1").value()).value(), written);
  written.instance = 8174625012345678901;
  EXPECT_EQ(DecodeIdentity(ReadSmallFile(golden + "v2").value()).value(), written);
  EXPECT_EQ(EncodeIdentity(written), ReadSmallFile(golden + "v2").value());
}

TEST_F(DataDirectoryTest, ADirectoryOfVersion1GetsAnInstanceAndKeepsIt) {
  fs::create_directory(path_);
  fs::copy_file(QUORATE_SOURCE_DIR "/tests/data/identity/v1", path_ + "/identity");
  const Identity first = DataDirectory::Open(path_).value()->identity();
  EXPECT_NE(first.instance, 0u);
  EXPECT_EQ(first.incarnation, 18u);
  const Identity second = DataDirectory::Open(path_).value()->identity();
  EXPECT_EQ(second.instance, first.instance);
  EXPECT_EQ(second.uuid, "6f1d0c9e-8d0e-4c3b-9a2c-5b7f0f2f1a11");
}

TEST_F(DataDirectoryTest, EveryStartIsANewIncarnationAndNothingElseChanges) {
  Identity first;
  {
    const auto data = DataDirectory::Open(path_).value();
    ASSERT_TRUE(data->Assign(GroupId{3}, MemberId{2}).ok());
    ASSERT_TRUE(data->MarkLogBegun().ok());
    first = data->identity();
  }
  for (uint64_t i = 2; i < 6; ++i) {
    const auto data = DataDirectory::Open(path_).value();
    first.incarnation = i;
    EXPECT_EQ(data->identity(), first);
  }
}

TEST_F(DataDirectoryTest, TwoDirectoriesHaveDifferentUuidsAndInstances) {
  const Identity a = DataDirectory::Open(root_ + "/a").value()->identity();
  const Identity b = DataDirectory::Open(root_ + "/b").value()->identity();
  EXPECT_NE(a.uuid, b.uuid);
  EXPECT_NE(a.instance, b.instance);
}

TEST_F(DataDirectoryTest, AnotherUserIsRefusedAndNamedAndBeginsNoIncarnation) {
  {
    const auto data = DataDirectory::Open(path_).value();
    ExpectRefused(absl::StatusCode::kUnavailable,
                  "in use by another process (pid " + std::to_string(::getpid()) + ")");
  }
  EXPECT_EQ(DataDirectory::Open(path_).value()->identity().incarnation, 2u);
}

TEST_F(DataDirectoryTest, AnotherMemberOrGroupIsRefusedByName) {
  const auto data = DataDirectory::Open(path_).value();
  ASSERT_TRUE(data->Assign(GroupId{3}, MemberId{2}).ok());
  EXPECT_TRUE(data->Assign(GroupId{3}, MemberId{2}).ok());
  for (const auto& [group, member] : {std::pair{3, 1}, std::pair{4, 2}}) {
    const absl::Status status =
        data->Assign(GroupId{static_cast<uint64_t>(group)}, MemberId{static_cast<uint64_t>(member)});
    EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(status.message()), HasSubstr("belongs to member 2 of group 3"));
  }
  EXPECT_FALSE(data->Assign(GroupId{0}, MemberId{2}).ok());
}

TEST_F(DataDirectoryTest, AnotherVersionIsRefusedAsSuch) {
  DataDirectory::Open(path_).value().reset();
  std::string text = ReadSmallFile(path_ + "/identity").value();
  text.replace(text.find("quorate-data 2"), 14, "quorate-data 9");
  text.resize(text.rfind("crc "));
  std::ofstream(path_ + "/identity") << text << absl::StrFormat("crc %08x\n", Crc32c(text));
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "version 9");
}

TEST_F(DataDirectoryTest, AnyFlippedBitOfTheIdentityIsNoticed) {
  const std::string text = EncodeIdentity(
      {.uuid = "u", .group = GroupId{1}, .member = MemberId{2}, .incarnation = 3, .instance = 9});
  ASSERT_TRUE(DecodeIdentity(text).ok());
  for (size_t bit = 0; bit < text.size() * 8; ++bit) {
    std::string damaged = text;
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(DecodeIdentity(damaged).ok()) << bit;
  }
  for (size_t size = 0; size < text.size(); ++size) EXPECT_FALSE(DecodeIdentity(text.substr(0, size)).ok());
}

TEST_F(DataDirectoryTest, ALostIdentityBesideDataIsDamage) {
  DataDirectory::Open(path_).value().reset();
  fs::create_directory(path_ + "/wal");
  fs::remove(path_ + "/identity");
  ExpectRefused(absl::StatusCode::kDataLoss, "has lost its file 'identity'");
}

TEST_F(DataDirectoryTest, ADirectoryWithForeignFilesIsNotTakenOver) {
  fs::create_directory(path_);
  std::ofstream(path_ + "/thesis.tex") << "x";
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "thesis.tex");
}

TEST_F(DataDirectoryTest, APlaceThatCannotBeWrittenIsNamed) {
  const auto opened = DataDirectory::Open("/proc/quorate-no-such-place");
  EXPECT_THAT(std::string(opened.status().message()), HasSubstr("/proc/quorate-no-such-place"));
  std::ofstream(path_) << "a file";
  ExpectRefused(absl::StatusCode::kFailedPrecondition, "Not a directory");
}

TEST_F(DataDirectoryTest, AnInterruptedReplacementLeavesTheOldIdentity) {
  DataDirectory::Open(path_).value().reset();
  std::ofstream(path_ + "/identity.tmp") << "quorate-da";
  EXPECT_EQ(DataDirectory::Open(path_).value()->identity().incarnation, 2u);
}

// --- another instance ---

class DamagedDirectoryTest : public DataDirectoryTest {
 protected:
  // A directory with a log and a state, each with `content`.
  void Fill(const std::string& content) {
    for (const char* name : {"wal", "state"}) {
      fs::create_directory(path_ + "/" + name);
      std::ofstream(path_ + "/" + name + "/file") << content;
    }
  }
  std::string Kept(int number, const std::string& name) {
    return ReadSmallFile(path_ + "/damaged-" + std::to_string(number) + "/" + name + "/file").value_or("");
  }
};

TEST_F(DamagedDirectoryTest, ARepairPutsTheDataAsideAndIsAnotherInstance) {
  const auto data = DataDirectory::Open(path_).value();
  ASSERT_TRUE(data->Assign(GroupId{3}, MemberId{2}).ok());
  ASSERT_TRUE(data->MarkLogBegun().ok());
  const Identity before = data->identity();
  Fill("old");
  ASSERT_TRUE(data->BeginRepair().ok());
  EXPECT_EQ(data->identity().repairs, before.instance);
  EXPECT_NE(data->identity().instance, before.instance);
  EXPECT_FALSE(data->identity().has_log) << "it begins with an empty log";
  EXPECT_EQ(data->identity().member, before.member);
  EXPECT_EQ(Kept(1, "wal"), "old");
  EXPECT_EQ(Kept(1, "state"), "old");
  EXPECT_FALSE(fs::exists(path_ + "/wal"));
  ASSERT_TRUE(data->FinishRepair().ok());
  EXPECT_EQ(data->identity().repairs, 0u);
}

TEST_F(DamagedDirectoryTest, ASecondRepairBeforeTheFirstIsDoneStillRepairsTheInstanceThatTheGroupKnows) {
  const auto data = DataDirectory::Open(path_).value();
  const uint64_t known = data->identity().instance;
  ASSERT_TRUE(data->BeginRepair().ok());
  const uint64_t second = data->identity().instance;
  ASSERT_TRUE(data->BeginRepair().ok());
  EXPECT_EQ(data->identity().repairs, known);
  EXPECT_NE(data->identity().instance, second);
}

TEST_F(DamagedDirectoryTest, TheNewestTwoAreKept) {
  const auto data = DataDirectory::Open(path_).value();
  for (const char* content : {"a", "b", "c"}) {
    Fill(content);
    ASSERT_TRUE(data->BeginRepair().ok());
  }
  EXPECT_FALSE(fs::exists(path_ + "/damaged-1"));
  EXPECT_EQ(Kept(2, "wal"), "b");
  EXPECT_EQ(Kept(3, "state"), "c");
}

TEST_F(DamagedDirectoryTest, AMarkIsFoundByTheNextStartAndGoesWithTheData) {
  DataDirectory::Open(path_).value().reset();
  MarkDamaged(path_, "a table does not read");
  MarkDamaged(path_, "and then this");
  {
    const auto data = DataDirectory::Open(path_).value();
    EXPECT_EQ(data->damage(), "a table does not read\n");
    ASSERT_TRUE(data->BeginRepair().ok());
    EXPECT_EQ(data->damage(), "");
  }
  EXPECT_EQ(DataDirectory::Open(path_).value()->damage(), "");
  EXPECT_TRUE(fs::exists(path_ + "/damaged-1/damage"));
}

TEST_F(DataDirectoryTest, AMoveToAnotherGroupKeepsTheLogAndTheOldIdentity) {
  const auto data = DataDirectory::Open(path_).value();
  ASSERT_TRUE(data->Assign(GroupId{3}, MemberId{2}).ok());
  ASSERT_TRUE(data->MarkLogBegun().ok());
  const Identity before = data->identity();
  ASSERT_TRUE(data->MoveToGroup(GroupId{99}).ok());
  EXPECT_EQ(data->identity().group, GroupId{99});
  EXPECT_NE(data->identity().instance, before.instance);
  EXPECT_TRUE(data->identity().has_log);
  EXPECT_EQ(DecodeIdentity(ReadSmallFile(path_ + "/identity.old-1").value()).value(), before);
  EXPECT_FALSE(data->Assign(GroupId{3}, MemberId{2}).ok());
}

}  // namespace
}  // namespace quorate::storage

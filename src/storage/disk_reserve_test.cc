#include "storage/disk_reserve.h"

#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <filesystem>

#include "base/disk_fault.h"

namespace quorate::storage {
namespace {

class DiskReserveTest : public ::testing::Test {
 protected:
  DiskReserveTest() : path_(::mkdtemp(name_)) {}
  ~DiskReserveTest() override { std::filesystem::remove_all(path_); }
  struct stat Stat() const {
    struct stat info {};
    EXPECT_EQ(::stat((path_ + "/reserve").c_str(), &info), 0);
    return info;
  }

  char name_[40] = "/tmp/quorate-reserve-XXXXXX";
  const std::string path_;
};

TEST_F(DiskReserveTest, ItTakesUpItsRoomAndGivesItBack) {
  ASSERT_TRUE(EnsureReserve(path_, 1 << 20).ok());
  EXPECT_EQ(Stat().st_size, 1 << 20);
  EXPECT_GE(Stat().st_blocks * 512, 1 << 20) << "a file with holes keeps nothing back";
  const auto inode = Stat().st_ino;
  ASSERT_TRUE(EnsureReserve(path_, 1 << 20).ok());
  EXPECT_EQ(Stat().st_ino, inode) << "it is left alone while it is right";
  ASSERT_TRUE(EnsureReserve(path_, 1 << 19).ok());
  EXPECT_EQ(Stat().st_size, 1 << 19);
  ReleaseReserve(path_);
  EXPECT_FALSE(HasReserve(path_));
}

TEST_F(DiskReserveTest, NoneIsWantedOfSizeZero) {
  ASSERT_TRUE(EnsureReserve(path_, 1 << 20).ok());
  ASSERT_TRUE(EnsureReserve(path_, 0).ok());
  EXPECT_FALSE(HasReserve(path_));
}

TEST_F(DiskReserveTest, OneThatDoesNotFitLeavesNothingBehind) {
  EXPECT_FALSE(EnsureReserve(path_, uint64_t{1} << 60).ok());
  EXPECT_FALSE(HasReserve(path_));
}

TEST_F(DiskReserveTest, RoomThatCannotBeReadIsAnErrorAndNotNone) {
  EXPECT_GT(FreeBytes(path_).value(), 0u);
  EXPECT_EQ(DiskFaultOf(FreeBytes(path_ + "/not-there").status()), DiskFault::kRead);
}

}  // namespace
}  // namespace quorate::storage

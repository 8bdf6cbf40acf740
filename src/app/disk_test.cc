#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>

#include "app/disk_faults.h"
#include "app/disk_watch.h"
#include "app/guarded_client.h"
#include "base/status_macros.h"
#include "rsm/command.h"
#include "storage/disk_reserve.h"

namespace quorate::app {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;

class DiskTest : public testing::Test {
 protected:
  DiskTest() : root_(::mkdtemp(name_)), path_(root_ + "/data") {}
  ~DiskTest() override { fs::remove_all(root_); }
  std::function<void(const std::string&)> Notice() {
    return [this](const std::string& text) { notices_.push_back(text); };
  }

  char name_[40] = "/tmp/quorate-disk-XXXXXX";
  const std::string root_, path_;
  std::vector<std::string> notices_;
};

// --- the watch: its first look is over when it is there ---

TEST_F(DiskTest, RoomAboveTheMarkGivesAReserve) {
  const DiskWatch watch({.data_dir = root_, .reserve_bytes = 4096, .low_bytes = 1, .notice = Notice()});
  EXPECT_FALSE(watch.low());
  EXPECT_GT(watch.free_bytes(), 0u);
  EXPECT_TRUE(storage::HasReserve(root_));
  EXPECT_TRUE(notices_.empty());
}

TEST_F(DiskTest, RoomBelowTheMarkIsSaidAndTakesNoReserve) {
  const DiskWatch watch(
      {.data_dir = root_, .reserve_bytes = 4096, .low_bytes = uint64_t{1} << 60, .notice = Notice()});
  EXPECT_TRUE(watch.low());
  EXPECT_FALSE(storage::HasReserve(root_));
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], HasSubstr("nearly full"));
}

TEST_F(DiskTest, RoomThatCannotBeReadIsNotTakenForNone) {
  const DiskWatch watch(
      {.data_dir = root_ + "/not-there", .low_bytes = uint64_t{1} << 60, .notice = Notice()});
  EXPECT_FALSE(watch.low());
  ASSERT_EQ(notices_.size(), 1u);
}

// --- repair ---

TEST_F(DiskTest, ARepairNeedsLeaveAndSomebodyToRepairFrom) {
  fs::create_directories(path_);
  auto directory = storage::DataDirectory::Open(path_).value();
  const uint64_t instance = directory->identity().instance;
  absl::Status status =
      Repair(*directory, {.why = "a bit flipped", .allowed = false, .group_members = 3}, Notice());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(status), testing::AllOf(HasSubstr("a bit flipped"), HasSubstr("--no-repair")));
  status = Repair(*directory, {.why = "a bit flipped", .group_members = 1}, Notice());
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(MessageOf(status),
              testing::AllOf(HasSubstr("quorate snapshot restore"), HasSubstr("quorate recover")));
  EXPECT_EQ(directory->identity().instance, instance) << "refused, it changes nothing";
  ASSERT_TRUE(Repair(*directory, {.why = "a bit flipped", .group_members = 3}, Notice()).ok());
  EXPECT_EQ(directory->identity().repairs, instance);
  ASSERT_EQ(notices_.size(), 1u);
  EXPECT_THAT(notices_[0], testing::AllOf(HasSubstr("DAMAGED"), HasSubstr("neither votes nor counts")));
}

// --- the guarded client ---

class CountingClient : public replica::Client {
 public:
  void Propose(std::string, Duration, std::function<void(replica::ProposeOutcome)> done) override {
    ++proposed;
    done(replica::OutcomeUnknown{});
  }
  void Read(Consistency, Duration, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  void TransferLeadership(MemberId, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  void Configure(replica::ConfigurationChange, Duration, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  replica::GroupStatus Status() const override { return {}; }

  int proposed = 0;
};

TEST_F(DiskTest, WithLittleRoomOnlyWhatDoesNotGrowIsProposed) {
  bool low = false;
  CountingClient client;
  GuardedClient guarded(client, [&] { return low; });
  bool refused = false;
  const auto propose = [&](rsm::Command command) {
    refused = false;
    guarded.Propose(rsm::EncodeCommand(command), std::chrono::seconds(1),
                    [&](replica::ProposeOutcome outcome) {
                      const auto* not_proposed = std::get_if<replica::NotProposed>(&outcome);
                      refused = not_proposed && not_proposed->why == replica::Refusal::kDiskLow;
                    });
  };
  const rsm::Command put{.body = rsm::KvTxn{kv::SingleOp(kv::PutRequest{.key = "k"})}};
  propose(put);
  EXPECT_EQ(client.proposed, 1);
  low = true;
  propose(put);
  EXPECT_TRUE(refused);
  EXPECT_EQ(client.proposed, 1);
  propose({.body = rsm::KvTxn{kv::SingleOp(kv::DeleteRangeRequest{.range = {"k", ""}})}});
  EXPECT_FALSE(refused);
  EXPECT_EQ(client.proposed, 2);
}

}  // namespace
}  // namespace quorate::app

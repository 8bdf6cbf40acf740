// What a follower does with the bytes of a snapshot before they may become its state.
#include "replica/state_worker.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "storage/memory/memory_state_store.h"
#include "testing/kv_machine.h"

namespace quorate::replica {
namespace {

struct State {
  storage::MemoryStateStore store;
  testing::KvMachine machine{store.map()};
  StateWorker worker{store, machine};

  State() { machine.Reload(); }
  void Put(const std::string& command) {
    machine.Apply({machine.applied_index() + 1, Term{2}, true, rsm::StampCommand({}, command)});
  }
  std::string Stream() { return *store.TakeSnapshot()->Read(0, 1 << 20); }
};

class Restoring : public ::testing::Test {
 protected:
  Restoring() {
    leader.Put("a=1");
    leader.Put("b=2");
    follower.Put("a=old");
  }
  // Gives what the check of `bytes` as a snapshot up to `index` says.
  absl::Status Check(const std::string& bytes, uint64_t index, uint64_t term = 2) {
    const auto written =
        follower.worker.Run(WriteSnapshot{++id, 0, std::make_shared<const std::string>(bytes)});
    EXPECT_TRUE(written.ok());
    const absl::Status status = std::get<SnapshotWritten>(**written).status;
    if (!status.ok()) return status;
    const auto verified = follower.worker.Run(VerifySnapshot{id, {LogIndex{index}, Term{term}, {}}});
    EXPECT_TRUE(verified.ok()) << "the replica would stop";
    return std::get<SnapshotVerified>(**verified).status;
  }
  void ExpectUntouched() {
    EXPECT_EQ(follower.machine.applied_index(), LogIndex{1});
    EXPECT_EQ(follower.machine.Get("a"), "old");
    EXPECT_EQ(follower.machine.Get("b"), "");
  }
  State leader, follower;
  uint64_t id = 0;
};

TEST_F(Restoring, WhatIsWholeAndOfThatIndexBecomesTheState) {
  ASSERT_TRUE(Check(leader.Stream(), 2).ok());
  ExpectUntouched();
  const auto installed = follower.worker.Run(InstallSnapshot{id, {LogIndex{2}, Term{2}, {}}});
  ASSERT_TRUE(installed.ok()) << installed.status();
  EXPECT_EQ(std::get<SnapshotInstalled>(*installed).index, LogIndex{2});
  EXPECT_EQ(follower.machine.Get("a"), "1");
  EXPECT_EQ(follower.machine.Get("b"), "2");
}

TEST_F(Restoring, WhatIsCutOffDamagedOrNoStateIsRefusedAndChangesNothing) {
  const std::string whole = leader.Stream();
  EXPECT_EQ(Check(whole.substr(0, whole.size() - 1), 2).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Check(whole + "x", 2).code(), absl::StatusCode::kDataLoss);
  std::string damaged = whole;
  damaged[damaged.size() - 20] ^= 1;
  EXPECT_EQ(Check(damaged, 2).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Check(storage::MemoryStateStore().TakeSnapshot()->Read(0, 1000).value(), 2).code(),
            absl::StatusCode::kDataLoss);
  ExpectUntouched();
}

TEST_F(Restoring, WhatIsOfAnotherIndexOrTermThanItsSenderSaysIsRefused) {
  EXPECT_EQ(Check(leader.Stream(), 3).code(), absl::StatusCode::kDataLoss);
  EXPECT_EQ(Check(leader.Stream(), 2, 1).code(), absl::StatusCode::kDataLoss);
  ExpectUntouched();
}

}  // namespace
}  // namespace quorate::replica

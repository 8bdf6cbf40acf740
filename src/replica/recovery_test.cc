#include "replica/recovery.h"

#include <gmock/gmock.h>

#include "raft/codec.h"
#include "replica/state_worker.h"
#include "storage/memory/memory_log_store.h"
#include "storage/memory/memory_state_store.h"
#include "testing/kv_machine.h"

namespace quorate::replica {
namespace {

raft::Configuration Members(std::initializer_list<uint64_t> ids) {
  raft::Configuration configuration;
  for (uint64_t id : ids) configuration.members.push_back({.id = MemberId{id}});
  return configuration;
}

raft::LogEntry NoOp(uint64_t index, uint64_t term) { return {LogIndex{index}, Term{term}}; }

class Recovery : public ::testing::Test {
 protected:
  absl::StatusOr<Recovered> Start(const raft::Configuration& bootstrap = Members({1, 2, 3})) {
    log = std::make_unique<storage::MemoryLogStore>(image);
    testing::KvMachine machine(state.map());
    auto recovered = Recover(*log, state, machine, bootstrap);
    image = log->image();
    return recovered;
  }
  // The state machine applied no-ops of `term` up to `index`.
  void ApplyThrough(uint64_t index, uint64_t term) {
    testing::KvMachine machine(state.map());
    machine.Reload();
    for (uint64_t i = machine.applied_index().value + 1; i <= index; ++i)
      machine.Apply({LogIndex{i}, Term{term}, false, {}});
  }
  storage::RecoveredLog image;
  std::unique_ptr<storage::MemoryLogStore> log;
  storage::MemoryStateStore state;
};

TEST_F(Recovery, ANewLogKeepsTheFirstConfigurationAndLaterOnesGivenDoNotCount) {
  ASSERT_TRUE(Start(Members({1, 2, 3})).ok());
  const auto again = Start(Members({7, 8, 9}));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->restored.base.configuration, Members({1, 2, 3}));
}

TEST_F(Recovery, ALogThatHoldsTheAppliedEntryStaysAsItIs) {
  image = {.hard_state = {Term{2}, MemberId{1}},
           .base = {LogIndex{0}, Term{0}, Members({1, 2, 3})},
           .entries = {NoOp(1, 1), NoOp(2, 1), NoOp(3, 2)}};
  ApplyThrough(2, 1);
  const auto recovered = Start();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->restored.entries.size(), 3u);
  EXPECT_EQ(recovered->restored.applied, LogIndex{2});
  EXPECT_EQ(log->writes(), 0u);
}

TEST_F(Recovery, ALogThatEndsBeforeTheStateBeginsAgainThere) {
  ASSERT_TRUE(Start().ok());
  image.entries = {NoOp(1, 1)};
  image.hard_state = {Term{1}, MemberId{2}};
  ApplyThrough(5, 4);
  const auto recovered = Start();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->restored.base.last_index, LogIndex{5});
  EXPECT_EQ(recovered->restored.base.last_term, Term{4});
  EXPECT_EQ(recovered->restored.base.configuration, Members({1, 2, 3}));
  EXPECT_TRUE(recovered->restored.entries.empty());
  // A term at least as new as what is applied, in which nobody was voted for.
  EXPECT_EQ(recovered->restored.hard_state, (raft::HardState{Term{4}, MemberId{}}));
  EXPECT_EQ(image.base, recovered->restored.base) << "and that is durable";
}

TEST_F(Recovery, ALogInConflictWithTheStateBeginsAgainThere) {
  // A snapshot became the state; the crash came before the log heard of it. Its entries were never committed.
  ASSERT_TRUE(Start().ok());
  image.entries = {NoOp(1, 1), NoOp(2, 1), NoOp(3, 1), NoOp(4, 1)};
  image.hard_state = {Term{3}, MemberId{2}};
  ApplyThrough(3, 2);
  const auto recovered = Start();
  ASSERT_TRUE(recovered.ok()) << recovered.status();
  EXPECT_EQ(recovered->restored.base.last_index, LogIndex{3});
  EXPECT_TRUE(recovered->restored.entries.empty());
  EXPECT_EQ(recovered->restored.hard_state, (raft::HardState{Term{3}, MemberId{2}})) << "a vote stays given";
}

TEST_F(Recovery, AStateThatEndsBeforeTheLogBeginsIsRefused) {
  image = {.hard_state = {Term{2}, MemberId{1}}, .base = {LogIndex{10}, Term{2}, Members({1, 2, 3})}};
  ApplyThrough(5, 1);
  EXPECT_EQ(Start().status().code(), absl::StatusCode::kDataLoss);
}

TEST_F(Recovery, TheStateTellsTheConfigurationAsOfItsIndex) {
  image = {.hard_state = {Term{1}, MemberId{1}},
           .base = {LogIndex{0}, Term{0}, Members({1, 2, 3})},
           .entries = {NoOp(1, 1)}};
  image.entries.push_back(
      {LogIndex{2}, Term{1}, raft::EntryType::kConfiguration,
       std::make_shared<const std::string>(raft::EncodeConfiguration(Members({1, 2, 3, 4})))});
  ApplyThrough(1, 1);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(state.map().Get(kConfigurationKey), raft::EncodeConfiguration(Members({1, 2, 3})));
  ApplyThrough(2, 1);
  ASSERT_TRUE(Start().ok());
  EXPECT_EQ(state.map().Get(kConfigurationKey), raft::EncodeConfiguration(Members({1, 2, 3, 4})));
}

}  // namespace
}  // namespace quorate::replica

// What the driver tells readers, and in which order (read-leases.md, "The view" and "Edge cases").
#include <gmock/gmock.h>

#include "base/crc32c.h"
#include "raft/codec.h"
#include "replica/driver_shell.h"

namespace quorate::replica {
namespace {

using namespace shell;  // NOLINT: the test's own vocabulary

// Follows member 2 in a group with leases.
class ViewOf : public ::testing::Test {
 protected:
  ViewOf() : shell(3, Restored()) {}
  static raft::Restored Restored() {
    raft::Restored restored{.base = {.configuration = Group(3)}};
    restored.base.configuration.timing = raft::LanTiming();
    restored.base.configuration.leases_on = true;
    return restored;
  }
  Actions Append(uint64_t term, uint64_t prev, uint64_t prev_term, std::vector<raft::LogEntry> entries,
                 std::optional<raft::Stamp> stamp = {}) {
    return shell.Receive(2, term,
                         raft::AppendEntries{.prev_index = LogIndex{prev},
                                             .prev_term = Term{prev_term},
                                             .entries = std::move(entries),
                                             .round = ++round,
                                             .stamp = stamp});
  }
  raft::Stamp Grant(uint64_t floor) const {
    return {
        .echo = shell.time, .incarnation = 1, .seq = 1, .floor = LogIndex{floor}, .lease = milliseconds(600)};
  }
  Shell shell;
  uint64_t round = 0;
};

std::vector<LogIndex> Appended(const Actions& actions) {
  std::vector<LogIndex> indices;
  for (const PendingChange& change : actions.pending)
    if (const auto* append = std::get_if<AppendPending>(&change))
      for (const raft::LogEntry& e : append->entries) indices.push_back(e.index);
  return indices;
}

TEST_F(ViewOf, AnEntryIsPendingInTheSameActionsThatAcknowledgeIt) {
  shell.Settle(Append(1, 0, 0, {}));
  const Actions actions = Append(1, 0, 0, {Command(1, 1, "a"), Command(2, 1, "b")}, Grant(2));
  EXPECT_EQ(Appended(actions), (std::vector<LogIndex>{LogIndex{1}, LogIndex{2}}));
  EXPECT_EQ(actions.log_last, LogIndex{2});
  const auto reply = Find<raft::AppendEntriesReply>(actions.send);
  ASSERT_TRUE(reply.has_value()) << "before the disk";
  EXPECT_EQ(reply->received, LogIndex{2});
  EXPECT_EQ(reply->durable, LogIndex{0});
  EXPECT_EQ(actions.lease_until, shell.time + milliseconds(600))
      << "and the lease that covers them comes with them";
}

TEST_F(ViewOf, WhatIsCutOffIsPendingNoMore) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a"), Command(2, 1, "b")}));
  const Actions actions = shell.Receive(
      3, 2,
      raft::AppendEntries{
          .prev_index = LogIndex{1}, .prev_term = Term{1}, .entries = {Command(2, 2, "c")}, .round = 1});
  ASSERT_EQ(actions.pending.size(), 2u);
  EXPECT_EQ(std::get<TruncatePending>(actions.pending[0]).from, LogIndex{2});
  EXPECT_EQ(Appended(actions), std::vector<LogIndex>{LogIndex{2}});
}

TEST_F(ViewOf, WhatTheDiskHeldAndIsNotAppliedIsPendingFromTheStart) {
  raft::Restored restored = Restored();
  restored.hard_state.current_term = Term{1};
  restored.entries = {Command(1, 1, "a"), Command(2, 1, "b"), Command(3, 1, "c")};
  restored.applied = LogIndex{1};
  Shell started(3, std::move(restored), {.index = LogIndex{1}, .term = Term{1}});
  const Actions actions = started.driver->Collect(started.now());
  EXPECT_EQ(Appended(actions), (std::vector<LogIndex>{LogIndex{2}, LogIndex{3}}));
  EXPECT_EQ(actions.log_last, LogIndex{3});
  EXPECT_FALSE(actions.lease_until.has_value());
}

TEST_F(ViewOf, ARevokedLeaseIsGoneInTheActionsThatSaySo) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a")}));
  shell.Settle(Append(1, 1, 1, {}, Grant(1)));
  const Actions actions = shell.Receive(2, 1, raft::Revoke{1});
  EXPECT_EQ(actions.lease_until, kLongAgo);
  EXPECT_TRUE(Find<raft::RevokeReply>(actions.send).has_value());
  const Actions again = Append(1, 1, 1, {}, Grant(1));
  EXPECT_FALSE(again.lease_until.has_value()) << "a grant of the revoked sequence, come late";
}

TEST_F(ViewOf, WhoStopsSaysGoodbyeWithItsLeaseGone) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a")}));
  shell.Settle(Append(1, 1, 1, {}, Grant(1)));
  const Actions actions = shell.Do(StopCall{});
  EXPECT_TRUE(actions.stopped);
  EXPECT_EQ(actions.lease_until, kLongAgo);
  EXPECT_TRUE(Find<raft::Goodbye>(actions.send).has_value());
}

TEST_F(ViewOf, AReadUnderALeaseWaitsForItsTargetAndSendsNothing) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a")}));
  const Actions actions = shell.Read(seconds(5), LogIndex{1});
  EXPECT_TRUE(actions.send.empty());
  EXPECT_TRUE(shell.reads.empty());
  // The commitment comes, and with it the answer.
  shell.Settle(shell.Receive(
      2, 1,
      raft::AppendEntries{
          .prev_index = LogIndex{1}, .prev_term = Term{1}, .leader_commit = LogIndex{1}, .round = ++round}));
  ASSERT_EQ(shell.reads.size(), 1u);
  EXPECT_TRUE(shell.reads[0].ok());
  EXPECT_EQ(shell.driver->Status(shell.time).read_rounds, 0u);
}

TEST_F(ViewOf, AReadUnderALeaseAsksTheLeaderWhenItsTargetTakesTooLong) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a")}));
  shell.Read(seconds(5), LogIndex{1});
  const raft::Timing timing = raft::LanTiming();
  Actions actions = shell.Wait(timing.hold - milliseconds(1));
  EXPECT_FALSE(Find<raft::ReadIndexRequest>(actions.send).has_value());
  // The leader goes on answering heartbeats, else it would not be asked.
  shell.Settle(Append(1, 1, 1, {}));
  actions = shell.Wait(milliseconds(2));
  const auto request = Find<raft::ReadIndexRequest>(actions.send);
  ASSERT_TRUE(request.has_value());
  shell.Settle(shell.Receive(2, 1, raft::ReadIndexReply{request->id, true, LogIndex{0}}));
  ASSERT_EQ(shell.reads.size(), 1u) << "what is pending was not committed: the old value is the right one";
  EXPECT_TRUE(shell.reads[0].ok());
}

TEST_F(ViewOf, AReadUnderALeaseKeepsItsDeadlineAlsoBelowTheHoldTime) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a")}));
  shell.Read(milliseconds(40), LogIndex{1});
  shell.Settle(Append(1, 1, 1, {}));
  shell.Settle(shell.Wait(milliseconds(41)));
  ASSERT_EQ(shell.reads.size(), 1u);
  EXPECT_EQ(shell.reads[0].code(), absl::StatusCode::kDeadlineExceeded);
  EXPECT_GT(shell.driver->NextWake(), shell.time) << "and nothing keeps the thread awake";
}

TEST_F(ViewOf, WhileASnapshotReplacesTheLogThereIsNoMomentWithNothingPending) {
  shell.Settle(Append(1, 0, 0, {Command(1, 1, "a"), Command(2, 1, "b")}));
  const raft::SnapshotMeta meta{LogIndex{9}, Term{1}, Restored().base.configuration};
  const auto chunk = [&](uint64_t offset, const std::string& data, bool done) {
    return shell.Receive(2, 1,
                         raft::SnapshotChunk{.meta = meta,
                                             .snapshot_id = 7,
                                             .offset = offset,
                                             .data = std::make_shared<const std::string>(data),
                                             .crc = Crc32c(data),
                                             .done = done});
  };
  Actions actions = chunk(0, "s", false);
  ASSERT_EQ(actions.housekeeping.size(), 1u);
  const auto written = std::get<WriteSnapshot>(actions.housekeeping[0]);
  shell.Do(SnapshotWritten{written.restore_id, absl::OkStatus()});
  actions = chunk(1, "", true);
  EXPECT_TRUE(actions.pending.empty()) << "first all of it is checked";
  actions = shell.Do(SnapshotVerified{written.restore_id, absl::OkStatus()});
  ASSERT_EQ(actions.pending.size(), 2u);
  EXPECT_EQ(std::get<InstallPending>(actions.pending[0]).through, LogIndex{9});
  EXPECT_EQ(std::get<TruncatePending>(actions.pending[1]).from, LogIndex{10});
}

TEST(Configure, OnlyTheLeaderTakesAChangeAndAnswersWhenItIsCommitted) {
  Shell shell(1);
  std::vector<absl::Status> answers;
  const auto configure = [&](ConfigurationChange change) {
    shell.Settle(shell.Do(ConfigureCall{change, seconds(5), [&](absl::Status s) { answers.push_back(s); }}));
  };
  configure(SetTiming{raft::WanTiming()});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_EQ(answers[0].code(), absl::StatusCode::kFailedPrecondition);
  shell.Lead();
  configure(SetTiming{raft::WanTiming()});
  ASSERT_EQ(answers.size(), 2u);
  EXPECT_TRUE(answers[1].ok()) << answers[1];
  EXPECT_EQ(shell.driver->core().timing().heartbeat, raft::WanTiming().heartbeat);
  raft::Timing unsound = raft::LanTiming();
  unsound.election_min = milliseconds(1);
  configure(SetTiming{unsound});
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[2].code(), absl::StatusCode::kInvalidArgument);
}

TEST(Configure, AMemberThatLeavesIsGoneBeforeTheAnswerSaysSo) {
  Shell shell(1);
  shell.Lead();
  const auto configuration = [&] { return shell.driver->core().GetStatus().configuration; };
  for (int i = 0; i < 20 && configuration().feature_level < 2; ++i)
    shell.Settle(shell.Wait(milliseconds(50)));
  ASSERT_EQ(configuration().feature_level, raft::kFeatureLevel) << "a leader alone can do what it can";
  std::vector<absl::Status> answers;
  const auto configure = [&](ConfigurationChange change) {
    shell.Settle(shell.Do(ConfigureCall{change, seconds(5), [&](absl::Status s) { answers.push_back(s); }}));
  };
  configure(AddMember{.address = "127.0.0.1:2", .promote = false, .replaces = {}});
  ASSERT_EQ(answers.size(), 1u);
  EXPECT_TRUE(answers[0].ok()) << answers[0];
  ASSERT_EQ(configuration().members.size(), 2u);
  configure(DemoteMember{MemberId{1}, false});
  configure(RemoveMember{MemberId{2}, false});
  shell.Settle(shell.Wait(milliseconds(50)));
  ASSERT_EQ(answers.size(), 3u);
  EXPECT_EQ(answers[1].code(), absl::StatusCode::kInvalidArgument) << "the last voter";
  EXPECT_TRUE(answers[2].ok()) << answers[2];
  EXPECT_EQ(configuration().members.size(), 1u);
  EXPECT_EQ(configuration().last_id, MemberId{2});
}

TEST(Configure, AProgramThatLearnsOfAFeatureLevelAboveItsOwnStops) {
  Shell shell(3);
  raft::Configuration c = shell.driver->core().GetStatus().configuration;
  c.feature_level = raft::kFeatureLevel + 1;
  c.last_id = MemberId{3};
  raft::AppendEntries append{.round = 1};
  append.entries.push_back({LogIndex{1}, Term{1}, raft::EntryType::kConfiguration,
                            std::make_shared<const std::string>(raft::EncodeConfiguration(c))});
  const Actions actions = shell.Receive(2, 1, std::move(append));
  EXPECT_EQ(actions.dismissed, raft::Dismissal::kTooOld);
  EXPECT_TRUE(actions.stopped);
}

}  // namespace
}  // namespace quorate::replica

#include "replica/driver.h"

#include <gmock/gmock.h>

#include <optional>
#include <string>

#include "base/crc32c.h"
#include "base/limits.h"
#include "replica/driver_shell.h"

namespace quorate::replica {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;
using namespace shell;  // NOLINT: the test's own vocabulary

// --- the disk ---

TEST(Driver, AVoteLeavesOnlyOnceItIsDurable) {
  Shell shell(3);
  const raft::RequestVote vote{.last_index = {}, .last_term = {}};
  Actions actions = shell.Receive(2, 1, vote);
  EXPECT_FALSE(Find<raft::RequestVoteReply>(actions.send).has_value());
  ASSERT_EQ(actions.log.size(), 1u);
  // Asked again meanwhile: the answer needs no write of its own, and must wait for the one under way all the
  // same.
  const Actions again = shell.Receive(2, 1, vote);
  EXPECT_FALSE(Find<raft::RequestVoteReply>(again.send).has_value());
  EXPECT_TRUE(again.log.empty());
  const Actions durable = shell.Do(LogWritten{actions.log[0].id});
  EXPECT_EQ(durable.send.size(), 2u);
  EXPECT_TRUE(Find<raft::RequestVoteReply>(durable.send)->granted);
}

TEST(Driver, WhatWaitsTogetherIsOneWriteAndOneBatch) {
  Shell shell(1);
  shell.Lead();
  for (int i = 0; i < 100; ++i)
    shell.driver->Handle(shell.now(), ProposeCall{"c" + std::to_string(i), seconds(1),
                                                  [&](ProposeOutcome o) { shell.outcomes.push_back(o); }});
  const size_t before = shell.writes;
  shell.Settle(shell.driver->Collect(shell.now()));
  EXPECT_EQ(shell.writes, before + 1);
  ASSERT_EQ(shell.outcomes.size(), 100u);
  EXPECT_EQ(std::get<Decided>(shell.outcomes[99]).outcome, "did c99");
}

// --- proposals ---

TEST(Driver, AProposalIsHeldUntilThereIsALeaderAndThenForwarded) {
  Shell shell(3);
  EXPECT_FALSE(Find<raft::ProposeRequest>(shell.Propose("a").send).has_value());
  const auto sent = shell.Settle(shell.Receive(2, 1, raft::AppendEntries{.round = 1}));
  ASSERT_TRUE(Find<raft::ProposeRequest>(sent).has_value());
  EXPECT_EQ(*Find<raft::ProposeRequest>(sent)->command, "a");
  EXPECT_TRUE(shell.outcomes.empty());
}

TEST(Driver, AProposalThatWasOnlyHeldWasCertainlyNotProposed) {
  Shell shell(3);
  shell.Propose("a", milliseconds(100));
  shell.Settle(shell.Wait(milliseconds(100)));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(IsRefused(shell.outcomes[0], Refusal::kNoLeader));
}

class Forwarded : public ::testing::Test {
 protected:
  void SetUp() override {
    shell.Follow(1);
    const Actions actions = shell.Propose("a");
    ASSERT_TRUE(Find<raft::ProposeRequest>(actions.send).has_value());
    id = Find<raft::ProposeRequest>(actions.send)->id;
  }
  void Reply(raft::ProposeReply::Status status, uint64_t index = 0, uint64_t term = 0) {
    shell.Settle(shell.Receive(2, 1, raft::ProposeReply{id, status, LogIndex{index}, Term{term}}));
  }
  // The leader of `term` sends and commits one entry.
  void Commit(uint64_t leader, uint64_t term, raft::LogEntry entry) {
    const LogIndex index = entry.index;
    shell.Settle(shell.Receive(leader, term,
                               raft::AppendEntries{.prev_index = index - 1,
                                                   .prev_term = Term{0},
                                                   .entries = {std::move(entry)},
                                                   .leader_commit = index,
                                                   .round = 2}));
  }
  Shell shell{3};
  uint64_t id = 0;
};

TEST_F(Forwarded, ItIsDecidedWhenItsEntryIsAppliedHere) {
  Reply(raft::ProposeReply::Status::kAppended, 1, 1);
  EXPECT_TRUE(shell.outcomes.empty());
  Commit(2, 1, Command(1, 1, "a"));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_EQ(std::get<Decided>(shell.outcomes[0]).outcome, "did a");
}

TEST_F(Forwarded, TheReplyMayBeOvertakenByTheEntry) {
  Commit(2, 1, Command(1, 1, "a"));
  Reply(raft::ProposeReply::Status::kAppended, 1, 1);
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_EQ(std::get<Decided>(shell.outcomes[0]).index, LogIndex{1});
}

TEST_F(Forwarded, AnotherTermAtItsIndexMeansThatItIsLost) {
  Reply(raft::ProposeReply::Status::kAppended, 1, 1);
  Commit(3, 2, Command(1, 2, "b"));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(IsRefused(shell.outcomes[0], Refusal::kNoLeader));
}

TEST_F(Forwarded, WithoutAReplyItsOutcomeIsUnknownWhenTheLeaderChanges) {
  shell.Settle(shell.Receive(3, 2, raft::AppendEntries{.round = 1}));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<OutcomeUnknown>(shell.outcomes[0]));
  Reply(raft::ProposeReply::Status::kAppended, 1, 1);
  EXPECT_EQ(shell.outcomes.size(), 1u);
}

TEST_F(Forwarded, WithoutAReplyItsOutcomeIsUnknownAtItsDeadline) {
  shell.Settle(shell.Wait(seconds(1)));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(std::holds_alternative<OutcomeUnknown>(shell.outcomes[0]));
}

TEST_F(Forwarded, ItGoesToTheNextLeaderIfTheOldOneDidNotTakeIt) {
  Reply(raft::ProposeReply::Status::kNotLeader);
  EXPECT_TRUE(shell.outcomes.empty());
  const auto sent = shell.Settle(shell.Receive(3, 2, raft::AppendEntries{.round = 1}));
  ASSERT_TRUE(Find<raft::ProposeRequest>(sent).has_value());
  EXPECT_NE(Find<raft::ProposeRequest>(sent)->id, id);
}

TEST_F(Forwarded, AFullLeaderRefusesIt) {
  Reply(raft::ProposeReply::Status::kQueueFull);
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(IsRefused(shell.outcomes[0], Refusal::kQueueFull));
}

TEST(Driver, WhatIsTooLargeOrTooManyIsRefusedAtOnce) {
  Shell shell(3);
  shell.Settle(shell.Propose(std::string(limits::kCommandBytesMax + 1, 'x')));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(IsRefused(shell.outcomes[0], Refusal::kTooLarge));
  for (size_t i = 0; i < limits::kProposalsMax; ++i) shell.Propose("a");
  shell.Settle(shell.Propose("a"));
  ASSERT_EQ(shell.outcomes.size(), 2u);
  EXPECT_TRUE(IsRefused(shell.outcomes[1], Refusal::kQueueFull));
}

TEST(Driver, ARepeatedRequestIsAppendedOnce) {
  Shell shell(1);
  shell.Lead();
  const raft::ProposeRequest request{77, std::make_shared<const std::string>("a")};
  const auto first = shell.Settle(shell.Receive(2, 1, request));
  ASSERT_TRUE(Find<raft::ProposeReply>(first).has_value());
  EXPECT_EQ(Find<raft::ProposeReply>(first)->status, raft::ProposeReply::Status::kAppended);
  EXPECT_TRUE(shell.Settle(shell.Receive(2, 1, request)).empty());
  EXPECT_EQ(shell.stamps.size(), 1u);
}

TEST(Driver, WhatOthersForwardIsBoundedByBytes) {
  Shell shell(1);
  shell.Lead();
  const auto large = std::make_shared<const std::string>(limits::kCommandBytesMax, 'x');
  const uint64_t fit = limits::kProposalBytesMax / limits::kCommandBytesMax;
  for (uint64_t id = 1; id <= fit + 1; ++id) {  // nothing is taken out between: as while proposing is paused
    shell.driver->Handle(shell.now(), MessageReceived{{MemberId{2}, MemberId{1}, shell.driver->core().term(),
                                                       raft::ProposeRequest{id, large}}});
  }
  std::vector<uint64_t> refused;
  for (const raft::Message& message : shell.Settle(shell.driver->Collect(shell.now()))) {
    const auto* reply = std::get_if<raft::ProposeReply>(&message.body);
    if (reply && reply->status == raft::ProposeReply::Status::kQueueFull) refused.push_back(reply->id);
  }
  ASSERT_FALSE(refused.empty());
  EXPECT_EQ(refused.front(), fit + 1) << "on arrival, before the log refuses what it cannot take";
}

TEST(Driver, WhoDoesNotLeadTakesNobodysProposal) {
  Shell shell(3);
  const auto sent =
      shell.Settle(shell.Receive(2, 0, raft::ProposeRequest{77, std::make_shared<const std::string>("a")}));
  ASSERT_TRUE(Find<raft::ProposeReply>(sent).has_value());
  EXPECT_EQ(Find<raft::ProposeReply>(sent)->status, raft::ProposeReply::Status::kNotLeader);
}

// --- group time ---

TEST(Driver, GroupTimeGoesOnFromTheLargestLoggedValueByTheLeadersOwnClock) {
  raft::Restored restored{.hard_state = {Term{1}, MemberId{}},
                          .entries = {Command(1, 1, "a", seconds(500)), Command(2, 1, "b", seconds(400))}};
  Shell shell(1, restored);
  shell.Lead();
  shell.stamps.clear();
  shell.Settle(shell.Propose("c"));
  shell.Wait(seconds(7));
  shell.Settle(shell.Propose("d"));
  ASSERT_EQ(shell.stamps.size(), 2u);
  EXPECT_GE(shell.stamps[0].group_time, seconds(500));
  EXPECT_LT(shell.stamps[0].group_time, seconds(502));
  EXPECT_EQ(shell.stamps[1].group_time - shell.stamps[0].group_time, seconds(7));
}

// --- reads ---

TEST(Driver, AReadThatComesDuringARoundWaitsForTheNext) {
  Shell shell(3);
  shell.Follow(1);
  const auto first = Find<raft::ReadIndexRequest>(shell.Read().send);
  ASSERT_TRUE(first.has_value());
  const uint64_t id = first->id;
  const Actions second = shell.Read();
  EXPECT_FALSE(Find<raft::ReadIndexRequest>(second.send).has_value());
  const auto next = shell.Settle(shell.Receive(2, 1, raft::ReadIndexReply{id, true, LogIndex{0}}));
  EXPECT_EQ(shell.reads.size(), 1u);
  ASSERT_TRUE(Find<raft::ReadIndexRequest>(next).has_value());
  EXPECT_NE(Find<raft::ReadIndexRequest>(next)->id, id);
  // The first answer, repeated by the network, says nothing of the second round.
  shell.Settle(shell.Receive(2, 1, raft::ReadIndexReply{id, true, LogIndex{0}}));
  EXPECT_EQ(shell.reads.size(), 1u);
}

TEST(Driver, AReadWaitsUntilItsIndexIsApplied) {
  Shell shell(3);
  shell.Follow(1);
  const uint64_t id = Find<raft::ReadIndexRequest>(shell.Read().send)->id;
  shell.Settle(shell.Receive(2, 1, raft::ReadIndexReply{id, true, LogIndex{1}}));
  EXPECT_TRUE(shell.reads.empty());
  shell.Settle(shell.Receive(
      2, 1, raft::AppendEntries{.entries = {Command(1, 1, "a")}, .leader_commit = LogIndex{1}}));
  ASSERT_EQ(shell.reads.size(), 1u);
  EXPECT_TRUE(shell.reads[0].ok());
}

TEST(Driver, AReadWithoutALeaderIsUnavailable) {
  Shell shell(3);
  shell.Read(milliseconds(100));
  shell.Settle(shell.Wait(milliseconds(100)));
  ASSERT_EQ(shell.reads.size(), 1u);
  EXPECT_EQ(shell.reads[0].code(), absl::StatusCode::kUnavailable);
}

TEST(Driver, ALostRequestIsAskedAgainUnderANewId) {
  Shell shell(3);
  shell.Follow(1);
  const uint64_t id = Find<raft::ReadIndexRequest>(shell.Read().send)->id;
  for (int i = 0; i < 3; ++i) {
    shell.Settle(shell.Wait(milliseconds(50)));
    shell.Settle(shell.Receive(2, 1, raft::AppendEntries{.round = 2}));
  }
  const auto again = shell.Settle(shell.Wait(milliseconds(50)));
  ASSERT_TRUE(Find<raft::ReadIndexRequest>(again).has_value());
  EXPECT_NE(Find<raft::ReadIndexRequest>(again)->id, id);
}

TEST(Driver, BarriersOfTheGateAreCompletedByTheNewestTicket) {
  Shell shell(1);
  shell.Lead();
  const Actions actions = shell.Do(BarrierCall{5});
  EXPECT_EQ(actions.barrier_completed, 5u);
}

// --- a snapshot received ---

TEST(Driver, ASnapshotIsCalledDurableOnlyOnceItsInstallIsWritten) {
  Shell shell(3);
  shell.Follow(1);
  const raft::SnapshotMeta meta{LogIndex{10}, Term{1}, Group(3)};
  const auto chunk = [&](uint64_t offset, const std::string& data) {
    return shell.Receive(2, 1,
                         raft::SnapshotChunk{meta, 77, offset, std::make_shared<const std::string>(data),
                                             Crc32c(data), data.empty()});
  };
  const auto durable = [&] {
    const Actions actions = shell.Receive(2, 1, raft::AppendEntries{LogIndex{10}, Term{1}, {}, {}, 2});
    const auto reply = Find<raft::AppendEntriesReply>(actions.send);
    return reply && reply->matched ? std::optional(reply->durable) : std::nullopt;
  };
  Actions actions = chunk(0, "state");
  ASSERT_EQ(actions.housekeeping.size(), 1u);
  shell.Do(SnapshotWritten{std::get<WriteSnapshot>(actions.housekeeping[0]).restore_id, absl::OkStatus()});
  actions = chunk(5, "");
  EXPECT_TRUE(actions.apply.empty()) << "first all of it is checked";
  ASSERT_EQ(actions.housekeeping.size(), 1u);
  actions = shell.Do(
      SnapshotVerified{std::get<VerifySnapshot>(actions.housekeeping[0]).restore_id, absl::OkStatus()});
  ASSERT_EQ(actions.apply.size(), 1u);
  EXPECT_TRUE(actions.log.empty()) << "the state comes first";
  EXPECT_EQ(durable(), LogIndex{0});
  actions = shell.Do(SnapshotInstalled{.index = LogIndex{10}});
  ASSERT_EQ(actions.log.size(), 1u);
  EXPECT_EQ(durable(), LogIndex{0});
  shell.Do(LogWritten{actions.log[0].id});
  EXPECT_EQ(durable(), LogIndex{10});
}

// --- compaction ---

TEST(Driver, TheLogIsCutOnlyBelowWhatIsFlushed) {
  Shell shell(1);
  shell.Lead();
  for (int i = 0; i < 7; ++i) shell.Settle(shell.Propose("a"));  // 8 entries with the no-op
  EXPECT_EQ(shell.compacted, LogIndex{0});
  Actions actions = shell.Propose("b");
  ASSERT_EQ(actions.housekeeping.size(), 1u);
  for (const LogJob& job : actions.log) EXPECT_TRUE(std::holds_alternative<storage::LogWrite>(job.work));
  shell.Settle(std::move(actions), Shell::Flush::kNever);
  EXPECT_EQ(shell.compacted, LogIndex{0});
  shell.Settle(shell.Do(StateFlushed{}));
  EXPECT_EQ(shell.compacted, LogIndex{5});  // 4 stay
  EXPECT_EQ(shell.driver->Status(shell.time).raft.first, LogIndex{6});
}

// Leads member 2, which answers everything at once if it `lives`, and 3, which only votes.
class LongLog : public ::testing::Test {
 protected:
  void SetUp() override {
    const Actions campaign = shell.Wait(seconds(1));
    const auto pre = Find<raft::RequestVote>(shell.Settle(Actions(campaign)));
    ASSERT_TRUE(pre.has_value());
    const uint64_t next = shell.driver->core().term().value + (pre->pre_vote ? 1 : 0);
    shell.Settle(shell.Receive(2, next, raft::RequestVoteReply{.pre_vote = pre->pre_vote, .granted = true}));
    term = shell.driver->core().term().value;
    shell.Settle(shell.Receive(2, term, raft::RequestVoteReply{.granted = true}));
    ASSERT_EQ(shell.driver->core().role(), raft::Role::kLeader);
    Answer(2, 1);
  }
  // Member `from` has everything up to `index`.
  void Answer(uint64_t from, uint64_t index) {
    shell.Settle(shell.Receive(from, term,
                               raft::AppendEntriesReply{.matched = true,
                                                        .received = LogIndex{index},
                                                        .durable = LogIndex{index},
                                                        .request_term = Term{term}}));
  }
  // Writes until the log's last entry is `last`, in two seconds each; member 2 acknowledges everything at
  // once.
  void WriteUpTo(uint64_t last) {
    for (uint64_t at = Last(); at < last; ++at) {
      shell.Settle(shell.Propose("a"));
      for (int i = 0; i < 40; ++i) {
        Answer(2, Last());
        if (slow) Answer(3, *slow);
        shell.Settle(shell.Wait(milliseconds(50)));
      }
      ASSERT_EQ(Last(), at + 1);
    }
  }
  uint64_t Last() const { return shell.driver->core().GetStatus().last.value; }
  Shell shell{3};
  uint64_t term = 0;
  std::optional<uint64_t> slow;  // member 3 answers, and has this much
};

TEST_F(LongLog, OneWhoIsSilentHoldsNothing) {
  Answer(3, 1);
  WriteUpTo(20);
  EXPECT_GE(shell.compacted, LogIndex{11});
}

TEST_F(LongLog, OneWhoAnswersKeepsWhatItWantsUpToALimit) {
  slow = 2;
  Answer(3, 1);
  WriteUpTo(20);
  EXPECT_EQ(shell.compacted, LogIndex{2}) << "8 are the limit, but it still wants the third";
  slow = 6;
  WriteUpTo(24);
  EXPECT_EQ(shell.compacted, LogIndex{6});
  WriteUpTo(40);
  EXPECT_GE(shell.compacted, LogIndex{26}) << "now it is hopeless: it gets a snapshot";
}

// --- the end ---

TEST(Driver, StoppingAnswersEverybody) {
  Shell shell(3);
  shell.Propose("a", seconds(60));
  shell.Read(seconds(60));
  Actions actions = shell.Do(StopCall{});
  EXPECT_FALSE(actions.stopped);  // the proposal may yet find a leader
  actions = shell.Wait(seconds(2));
  EXPECT_TRUE(actions.stopped);
  shell.Settle(std::move(actions));
  ASSERT_EQ(shell.outcomes.size(), 1u);
  EXPECT_TRUE(IsRefused(shell.outcomes[0], Refusal::kStopping));
  ASSERT_EQ(shell.reads.size(), 1u);
  EXPECT_FALSE(shell.reads[0].ok());
  shell.Settle(shell.Propose("b"));
  EXPECT_TRUE(IsRefused(shell.outcomes.back(), Refusal::kStopping));
}

TEST(Driver, AFollowerWithNothingWaitingStopsAtOnce) {
  Shell shell(3);
  EXPECT_TRUE(shell.Do(StopCall{}).stopped);
}

TEST(Driver, OnlyALeaderCanHandOverLeadership) {
  Shell shell(3);
  shell.Follow(1);
  std::optional<absl::Status> status;
  shell.Settle(shell.Do(TransferCall{MemberId{3}, [&](absl::Status s) { status = s; }}));
  ASSERT_TRUE(status.has_value());
  EXPECT_EQ(status->code(), absl::StatusCode::kFailedPrecondition);
}

// Member 1 of three leads; the others answer its rounds, member 2 with a disk that is nearly full.
void LeadThree(Shell& shell, raft::AppendEntriesReply second, raft::AppendEntriesReply third) {
  for (int i = 0; i < 100 && shell.driver->core().role() != raft::Role::kLeader; ++i) {
    shell.Settle(shell.Wait(milliseconds(20)));
    const uint64_t term = shell.driver->core().term().value;
    const bool pre = shell.driver->core().role() == raft::Role::kPreCandidate;
    shell.Settle(
        shell.Receive(3, pre ? term + 1 : term, raft::RequestVoteReply{.pre_vote = pre, .granted = true}));
  }
  ASSERT_EQ(shell.driver->core().role(), raft::Role::kLeader);
  for (int i = 0; i < 3; ++i) {
    const auto round = Find<raft::AppendEntries>(shell.Settle(shell.Wait(milliseconds(60))));
    const Term term = shell.driver->core().term();
    const LogIndex last = shell.driver->core().GetStatus().last;
    for (auto [from, reply] : {std::pair{2, second}, std::pair{3, third}}) {
      reply.matched = true;
      reply.received = reply.durable = reply.applied = last;
      reply.round = round ? round->round : 0;
      reply.request_term = term;
      shell.Settle(shell.Receive(static_cast<uint64_t>(from), term.value, reply));
    }
  }
}

std::optional<MemberId> AskedToLead(const std::vector<raft::Message>& messages) {
  for (const raft::Message& message : messages)
    if (std::holds_alternative<raft::TimeoutNow>(message.body)) return message.to;
  return std::nullopt;
}

TEST(Driver, ALeaderWhoseDiskIsNearlyFullHandsOverToAVoterThatHasRoom) {
  Shell shell(3);
  LeadThree(shell, {.disk_low = true}, {});
  EXPECT_EQ(AskedToLead(shell.Settle(shell.Do(DiskSeen{true}))), MemberId{3});
}

TEST(Driver, ALeaderWhoseDiskIsNearlyFullStaysIfTheOthersAreNoBetter) {
  Shell shell(3);
  LeadThree(shell, {.disk_low = true}, {.disk_low = true});
  EXPECT_EQ(AskedToLead(shell.Settle(shell.Do(DiskSeen{true}))), std::nullopt);
  EXPECT_EQ(shell.driver->core().role(), raft::Role::kLeader);
}

}  // namespace
}  // namespace quorate::replica

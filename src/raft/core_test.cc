// The contract of Step: what the driver may rely on. What Raft does is in tests/scenario/raft.
#include "raft/core.h"

#include <gtest/gtest.h>

#include <set>

#include "base/limits.h"

namespace quorate::raft {
namespace {

using std::chrono::milliseconds;

constexpr BootTime kStart{std::chrono::seconds(1)};

Restored Fresh(uint64_t voters) {
  Restored r;
  for (uint64_t id = 1; id <= voters; ++id) r.base.configuration.members.push_back({.id = {id}});
  return r;
}
Core Member(uint64_t voters, CoreConfig config = {}) {
  config.self = {1};
  return Core(config, Fresh(voters), kStart);
}
Payload Bytes(std::string s) { return std::make_shared<const std::string>(std::move(s)); }
Input Vote(const Core& core, uint64_t from, bool pre_vote = false) {
  return Receive{{{from}, {1}, core.term() + (pre_vote ? 1 : 0), RequestVoteReply{pre_vote, true}}};
}
Input Ack(const Core& core, uint64_t from, uint64_t index, uint64_t round) {
  return Receive{{{from},
                  {1},
                  core.term(),
                  AppendEntriesReply{true, {index}, {index}, {}, {}, round, core.term(), {}, 1}}};
}
// A leader of three whose no-op is committed.
Core Leader(BootTime& now, CoreConfig config = {}) {
  Core core = Member(3, config);
  now = core.NextTick();
  core.Step(now, Tick{});
  core.Step(now, Vote(core, 2, /*pre_vote=*/true));
  const Effects e = [&] { return core.Step(now, Vote(core, 2)); }();
  core.Step(now, *e.when_durable);
  core.Step(now, Ack(core, 2, 1, 1));
  core.Step(now, Applied{{1}});
  EXPECT_EQ(core.role(), Role::kLeader);
  EXPECT_EQ(core.commit_index(), LogIndex{1});
  return core;
}

TEST(Core, ElectionTimeoutsAreRandomWithinTheirBoundsAndFollowTheSeed) {
  std::set<Duration> seen;
  for (uint64_t seed = 1; seed <= 50; ++seed) {
    const Core core = Member(3, {.seed = seed});
    const Duration timeout = core.NextTick() - kStart;
    EXPECT_GE(timeout, milliseconds(150));
    EXPECT_LT(timeout, milliseconds(300));
    EXPECT_EQ(core.NextTick(), Member(3, {.seed = seed}).NextTick());
    seen.insert(timeout);
  }
  EXPECT_GT(seen.size(), 45u);
}

TEST(Core, NothingHappensBeforeTheTickIsDue) {
  Core core = Member(3);
  const Effects e = core.Step(core.NextTick() - Duration(1), Tick{});
  EXPECT_TRUE(e.send_now.empty());
  EXPECT_EQ(core.role(), Role::kFollower);
}

TEST(Core, ALoneVoterLeadsAtItsFirstTick) {
  Core core = Member(1);
  EXPECT_EQ(core.NextTick(), kStart);
  const Effects e = core.Step(kStart, Tick{});
  EXPECT_EQ(core.role(), Role::kLeader);
  ASSERT_TRUE(e.hard_state);
  EXPECT_EQ(e.hard_state->voted_for, MemberId{1});
  ASSERT_EQ(e.append.size(), 1u);
  EXPECT_TRUE(e.committed.empty()) << "not before its disk has it (etcd#14370)";
  ASSERT_TRUE(e.when_durable);
  EXPECT_EQ(core.Step(kStart, *e.when_durable).committed.size(), 1u);
}

TEST(Core, WhenDurableNamesTheAppendOfItsOwnStep) {
  BootTime now;
  Core core = Leader(now);
  const Effects e =
      core.Step(now, Propose{{{.tag = 1, .payload = Bytes("x")}, {.tag = 2, .payload = Bytes("y")}}});
  ASSERT_TRUE(e.when_durable);
  EXPECT_EQ(e.when_durable->index, LogIndex{3});
  EXPECT_EQ(e.when_durable->term, core.term());
  EXPECT_FALSE(core.Step(now, ReadRequest{1}).when_durable);
}

TEST(Core, EveryProposalIsAnsweredByItsTag) {
  BootTime now;
  Core core = Leader(now);
  const Effects e =
      core.Step(now, Propose{{{.tag = 7, .payload = Bytes("x")}, {.tag = 9, .payload = Bytes("y")}}});
  ASSERT_EQ(e.proposed.size(), 2u);
  EXPECT_EQ(e.proposed[0].tag, 7u);
  EXPECT_EQ(e.proposed[0].index, LogIndex{2});
  EXPECT_EQ(e.proposed[1].index, LogIndex{3});
  EXPECT_EQ(e.proposed[1].term, core.term());
  EXPECT_EQ(e.append.size(), 2u);
  ASSERT_FALSE(e.send_now.empty());
  const auto* append = std::get_if<AppendEntries>(&e.send_now[0].body);
  ASSERT_NE(append, nullptr);
  EXPECT_EQ(append->entries.size(), 2u) << "one message for the batch";
  EXPECT_EQ(append->entries[0].payload.get(), e.append[0].payload.get()) << "no copy of the payload";
}

TEST(Core, AFollowerRefusesProposalsAndReadsWithoutALeader) {
  Core core = Member(3);
  const Effects proposed = core.Step(kStart, Propose{{{.tag = 1}}});
  ASSERT_EQ(proposed.proposed.size(), 1u);
  EXPECT_EQ(proposed.proposed[0].fault, ProposeFault::kNotLeader);
  const Effects read = core.Step(kStart, ReadRequest{5});
  ASSERT_EQ(read.reads.size(), 1u);
  EXPECT_EQ(read.reads[0].id, 5u);
  EXPECT_FALSE(read.reads[0].ok);
}

TEST(Core, OneLargeProposalIsTakenAndTheNextMustWait) {
  BootTime now;
  Core core = Leader(now, {.uncommitted_bytes_max = 1000});
  const Effects e = core.Step(now, Propose{{{.tag = 1, .payload = Bytes(std::string(5000, 'x'))},
                                            {.tag = 2, .payload = Bytes("y")}}});
  EXPECT_FALSE(e.proposed[0].fault);
  EXPECT_EQ(e.proposed[1].fault, ProposeFault::kQueueFull);
  EXPECT_GT(core.log_bytes(), 5000u);
}

TEST(Core, ReadsHeldAreBounded) {
  BootTime now;
  Core core = Leader(now);
  size_t failed = 0;
  for (uint64_t id = 1; id <= limits::kReadWaitersMax + 10; ++id) {
    for (const ReadResult& r : core.Step(now, ReadRequest{id}).reads) failed += !r.ok;
  }
  EXPECT_EQ(failed, 10u);
  size_t answered = 0;
  for (uint64_t round = 2; round <= 10; ++round) {
    // More rounds than were begun: refused.
    for (const ReadResult& r : core.Step(now, Ack(core, 2, 1, round)).reads) answered += r.ok;
  }
  EXPECT_EQ(answered, limits::kReadWaitersMax);
}

TEST(Core, ManyReadsShareAFewRounds) {
  BootTime now;
  Core core = Leader(now);
  size_t messages = 0;
  for (uint64_t id = 1; id <= 1000; ++id) messages += core.Step(now, ReadRequest{id}).send_now.size();
  EXPECT_LE(messages, 8u);
}

TEST(Core, ReadIdsOfTwoLivesDiffer) {
  std::set<uint64_t> ids;
  for (int life = 0; life < 10; ++life) {
    const BootTime start = kStart + milliseconds(life);
    Core core({.self = {2}, .seed = 1}, Fresh(3), start);
    core.Step(start, Receive{{{1}, {2}, {1}, AppendEntries{}}});
    for (int i = 0; i < 3; ++i) {
      const Effects e = core.Step(start, ReadRequest{1});
      ASSERT_EQ(e.send_now.size(), 1u);
      ids.insert(std::get<ReadIndexRequest>(e.send_now[0].body).id);
    }
  }
  EXPECT_EQ(ids.size(), 30u);
}

TEST(Core, RestartsWithWhatWasDurableAndKnowsWhatWasApplied) {
  Restored r = Fresh(3);
  r.hard_state = {{4}, {2}};
  for (uint64_t i = 1; i <= 5; ++i) r.entries.push_back({{i}, {4}, EntryType::kCommand, Bytes("x")});
  r.applied = {3};
  Core core({.self = {1}}, r, kStart);
  const Status s = core.GetStatus();
  EXPECT_EQ(s.hard_state, r.hard_state);
  EXPECT_EQ(s.commit, LogIndex{3});
  EXPECT_EQ(s.durable, LogIndex{5});
  // Committed entries go on from there.
  const Effects e = core.Step(kStart, Receive{{{2}, {1}, {4}, AppendEntries{{5}, {4}, {}, {5}, 1}}});
  ASSERT_EQ(e.committed.size(), 2u);
  EXPECT_EQ(e.committed[0].index, LogIndex{4});
}

TEST(Core, AStateAppliedInALaterTermThanTheHardStateRaisesIt) {
  Restored r = Fresh(3);
  r.hard_state = {{2}, {3}};
  r.base.last_index = {7};
  r.base.last_term = {5};
  r.applied = {7};
  const Core core({.self = {1}}, r, kStart);
  EXPECT_EQ(core.GetStatus().hard_state, (HardState{{5}, {}}));
}

// What member 1 answers at once to a heartbeat of `from`.
AppendEntriesReply AnswerToHeartbeat(Core& core, uint64_t from, LogIndex prev, Term prev_term) {
  const Effects e =
      core.Step(kStart, Receive{{{from}, {1}, core.term(), AppendEntries{prev, prev_term, {}, {}, 7}}});
  EXPECT_EQ(e.send_now.size(), 1u);
  return e.send_now.empty() ? AppendEntriesReply{} : std::get<AppendEntriesReply>(e.send_now[0].body);
}

TEST(Core, ASnapshotIsNotCalledDurableBeforeItIsInstalled) {
  Core core = Member(3);
  AppendEntries append;
  for (uint64_t i = 1; i <= 2; ++i) append.entries.push_back({{i}, {1}, EntryType::kCommand, Bytes("x")});
  const Effects appended = core.Step(kStart, Receive{{{2}, {1}, {1}, append}});
  const SnapshotMeta meta{{10}, {1}, Fresh(3).base.configuration};
  const Effects received = core.Step(kStart, SnapshotReceived{{2}, {1}, meta});
  ASSERT_TRUE(received.install);
  ASSERT_TRUE(received.when_durable);
  core.Step(kStart, *appended.when_durable);
  const AppendEntriesReply early = AnswerToHeartbeat(core, 2, {10}, {1});
  EXPECT_TRUE(early.matched);
  EXPECT_EQ(early.received, LogIndex{10});
  EXPECT_EQ(early.durable, LogIndex{0});
  EXPECT_EQ(early.round, 7u) << "it still counts for the round";
  core.Step(kStart, *received.when_durable);
  EXPECT_EQ(AnswerToHeartbeat(core, 2, {10}, {1}).durable, LogIndex{10});
}

TEST(Core, TheInstallOfASnapshotAlsoVouchesForTheSuffixWrittenBeforeIt) {
  Core core = Member(3);
  AppendEntries append;
  for (uint64_t i = 1; i <= 5; ++i) append.entries.push_back({{i}, {2}, EntryType::kCommand, Bytes("x")});
  core.Step(kStart, Receive{{{2}, {1}, {2}, append}});
  const SnapshotMeta meta{{3}, {2}, Fresh(3).base.configuration};
  const Effects received = core.Step(kStart, SnapshotReceived{{3}, {3}, meta});
  EXPECT_TRUE(received.keep_log_suffix);
  ASSERT_TRUE(received.when_durable);
  EXPECT_EQ(AnswerToHeartbeat(core, 3, {5}, {2}).durable, LogIndex{0});
  core.Step(kStart, *received.when_durable);  // one sync did both writes
  EXPECT_EQ(AnswerToHeartbeat(core, 3, {5}, {2}).durable, LogIndex{5});
}

TEST(Core, AnAppendAfterAnInstallVouchesForBoth) {
  Core core = Member(3);
  const SnapshotMeta meta{{10}, {1}, Fresh(3).base.configuration};
  core.Step(kStart, SnapshotReceived{{2}, {1}, meta});
  const AppendEntries append{{10}, {1}, {{{11}, {1}, EntryType::kCommand, Bytes("x")}}, {}, 1};
  const Effects appended = core.Step(kStart, Receive{{{2}, {1}, {1}, append}});
  EXPECT_EQ(AnswerToHeartbeat(core, 2, {11}, {1}).durable, LogIndex{0});
  core.Step(kStart, *appended.when_durable);
  EXPECT_EQ(AnswerToHeartbeat(core, 2, {11}, {1}).durable, LogIndex{11});
}

TEST(Core, ForgetsWhatTheDriverCut) {
  BootTime now;
  Core core = Leader(now);
  core.Step(now, Compacted{{1}});
  EXPECT_EQ(core.GetStatus().first, LogIndex{2});
  EXPECT_EQ(core.TermAt({1}), core.term());
  EXPECT_EQ(core.log_bytes(), 0u);
  EXPECT_EQ(core.ConfigurationAt({1}).members.size(), 3u);
}

// The simulator's seed 604: its transfer had failed, and until the next one every answer of the follower
// brought it a message that could tell it nothing, for ever.
TEST(Core, WhoWaitsForASnapshotIsToldNothingAtEachOfItsAnswers) {
  BootTime now;
  Core core = Leader(now);
  core.Step(now, Ack(core, 3, 1, 1));
  const Effects proposed = core.Step(now, Propose{{{.payload = Bytes("a")}, {.payload = Bytes("b")}}});
  core.Step(now, *proposed.when_durable);
  core.Step(now, Ack(core, 2, 3, 1));
  core.Step(now, Applied{{3}});
  core.Step(now, Receive{{{3},
                          {1},
                          core.term(),
                          AppendEntriesReply{.conflict_index = {2},
                                             .conflict_term = core.term(),
                                             .round = 1,
                                             .request_term = core.term(),
                                             .incarnation = 1}}});
  core.Step(now, Compacted{{3}});
  core.Step(now, Ack(core, 3, 1, 1));
  ASSERT_EQ(core.GetStatus().peers[1].state, PeerStatus::State::kSnapshot);
  core.Step(now, SnapshotSent{{3}, /*installed=*/false});
  for (int i = 0; i < 3; ++i) {
    const Effects e = core.Step(now, Ack(core, 3, 1, 1));
    EXPECT_EQ(core.GetStatus().peers[1].state, PeerStatus::State::kReplicate);
    EXPECT_TRUE(e.send_now.empty());
  }
}

TEST(Core, MessagesToOthersAreRefused) {
  Core core = Member(3);
  core.Step(kStart, Receive{{{2}, {3}, {9}, AppendEntries{}}});
  core.Step(kStart, Receive{{{1}, {1}, {9}, AppendEntries{}}});
  EXPECT_EQ(core.term(), Term{0});
  EXPECT_EQ(core.GetStatus().refused_messages, 2u);
}

TEST(Core, TimeThatSeemsToStepBackIsIgnored) {
  BootTime now;
  Core core = Leader(now);
  core.Step(BootTime{}, Tick{});
  EXPECT_EQ(core.role(), Role::kLeader);
  EXPECT_GT(core.NextTick(), now);
}

TEST(CoreDeathTest, CutsNothingThatIsNotApplied) {
  BootTime now;
  Core core = Leader(now);
  core.Step(now, Propose{{{.tag = 1, .payload = Bytes("x")}}});
  EXPECT_DEATH(core.Step(now, Compacted{{2}}), "CHECK failed");
}

}  // namespace
}  // namespace quorate::raft

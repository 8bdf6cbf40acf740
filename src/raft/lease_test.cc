// Read leases rule by rule (read-leases.md); randomly, and with the mutants, they are tested by the
// simulator.
#include <gtest/gtest.h>

#include "raft/codec.h"
#include "raft/lease_world.h"
#include "raft/quorum.h"

namespace quorate::raft {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Leases : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(w.RunUntil([&] { return w.Healthy(); }, seconds(5)));
  }
  const Timing t = LanTiming();
  LeaseWorld w{3};
};

TEST_F(Leases, EveryMemberHoldsOneAndKeepsIt) {
  for (int i = 0; i < 100; ++i) {
    w.Run(milliseconds(50));
    ASSERT_TRUE(w.Healthy()) << i;
  }
}

TEST_F(Leases, ACommitmentNeedsNoDiskOfAHolderButItsMemory) {
  const uint64_t slow = w.Follower(1);
  w.stuck_disks = {slow};
  w.Propose();
  w.Settle();
  EXPECT_EQ(w.commit(), w.last()) << "durable on two, in memory on all";
}

TEST_F(Leases, ACommitmentWaitsForASilentHolderUntilItsLeaseIsDeadAndNoLonger) {
  const uint64_t silent = w.Follower();
  w.Isolate(silent);
  w.Propose();
  w.Settle();
  EXPECT_LT(w.commit(), w.last()) << "durable on a majority, but a reader at the third would miss it";
  const Duration began = w.now();
  while (w.commit() < w.last() && w.now() < began + seconds(5)) {
    w.Run(LeaseWorld::kStep);
    if (w.commit() == w.last()) {
      EXPECT_FALSE(w.HoldsLease(silent));
    }
  }
  EXPECT_EQ(w.commit(), w.last());
  EXPECT_LE(w.now() - began, t.lease_wait + t.heartbeat);
  EXPECT_GE(w.now() - began, t.lease - 3 * t.heartbeat) << "the lease was fresh";
  w.Propose();
  w.Settle();
  EXPECT_EQ(w.commit(), w.last()) << "it stalls once";
}

TEST_F(Leases, AnIsolatedMemberLosesItsLeaseWithinItsLengthByItsOwnClock) {
  const uint64_t alone = w.Follower();
  w.Isolate(alone);
  w.Run(t.lease);
  EXPECT_FALSE(w.HoldsLease(alone));
}

TEST_F(Leases, AnIsolatedLeaderLosesItsOwn) {
  const uint64_t old = w.leader();
  w.Isolate(old);
  w.Run(t.lease);
  EXPECT_FALSE(w.HoldsLease(old));
}

TEST_F(Leases, ARestartedHolderHoldsNobodyUp) {
  const uint64_t id = w.Follower();
  w.Crash(id);
  w.Run(milliseconds(50));
  w.Start(id);
  w.Run(t.heartbeat * 2);
  w.Propose();
  w.Settle();
  EXPECT_EQ(w.commit(), w.last());
}

// A reboot begins BOOTTIME anew: a grant for the echo of the life before would last for ages.
TEST_F(Leases, AGrantForAnEarlierIncarnationIsRefused) {
  const uint64_t id = w.Follower();
  w.hold = [&](const Message& m) {
    const auto* append = std::get_if<AppendEntries>(&m.body);
    return m.to.value == id && append && append->stamp && append->stamp->lease.count() > 0;
  };
  ASSERT_TRUE(w.RunUntil([&] { return !w.held.empty(); }, seconds(1)));
  w.Crash(id);
  w.Start(id);
  ASSERT_GT(std::get<AppendEntries>(w.held[0].body).stamp->echo, w.clock(id)) << "the new clock is behind";
  w.Deliver(w.held[0]);
  EXPECT_FALSE(w.HoldsLease(id));
}

TEST_F(Leases, AGrantIsNothingToWhomEntriesBelowItsFloorAreMissing) {
  const uint64_t id = w.Follower();
  AppendEntries heartbeat;
  w.hold = [&](const Message& m) { return m.to.value == id; };
  w.RunUntil([&] { return !w.held.empty(); }, seconds(1));
  for (const Message& m : w.held)
    if (const auto* append = std::get_if<AppendEntries>(&m.body); append && append->stamp)
      heartbeat = *append;
  ASSERT_TRUE(heartbeat.stamp);
  w.Run(t.lease + milliseconds(10));
  ASSERT_FALSE(w.HoldsLease(id));
  heartbeat.stamp->echo = w.clock(id);
  heartbeat.stamp->lease = t.lease;
  heartbeat.stamp->floor = heartbeat.prev_index + heartbeat.entries.size() + 1;
  w.Deliver({{w.leader()}, {id}, w.core(id).term(), heartbeat});
  EXPECT_FALSE(w.HoldsLease(id));
  heartbeat.stamp->floor = heartbeat.stamp->floor - 1;
  w.Deliver({{w.leader()}, {id}, w.core(id).term(), heartbeat});
  EXPECT_TRUE(w.HoldsLease(id)) << "the same with a floor that it has";
}

TEST_F(Leases, ALeaseIsCountedFromTheEchoNotFromItsReceipt) {
  const uint64_t id = w.Follower();
  w.hold = [&](const Message& m) { return m.to.value == id; };
  w.Run(t.lease);
  ASSERT_FALSE(w.HoldsLease(id));
  w.hold = nullptr;
  for (const Message& m : std::exchange(w.held, {})) w.Deliver(m);
  EXPECT_FALSE(w.HoldsLease(id)) << "everything that comes this late was granted long ago";
}

// A leader that led before, restarted and leads again begins to count rounds anew.
TEST_F(Leases, AnAnswerToARoundOfAnotherTermConfirmsNothing) {
  const uint64_t leader = w.leader(), other = w.Follower();
  const Status status = w.core(leader).GetStatus();
  w.Isolate(leader);
  const BootTime before = w.core(leader).lease_until();
  w.Run(t.heartbeat * 2);
  for (uint64_t round = 1; round < 200; ++round) {
    AppendEntriesReply reply{
        .matched = true, .received = status.last, .durable = status.last, .round = round};
    reply.request_term = Term{status.hard_state.current_term.value - 1};
    reply.incarnation = 2;  // of its first start
    reply.echo = w.clock(other);
    w.Deliver({{other}, {leader}, status.hard_state.current_term, reply});
  }
  EXPECT_EQ(w.core(leader).lease_until(), before);
  EXPECT_EQ(w.core(leader).GetStatus().refused_messages, status.refused_messages) << "ignored, not refused";
}

TEST_F(Leases, ANewLeaderWaitsForAHolderThatDoesNotAnswer) {
  const uint64_t old = w.leader(), silent = w.Follower();
  const uint64_t next = 6 - old - silent;
  w.Isolate(silent);
  // The old leader hands over and stays as a voter.
  w.Step(old, TransferLeadership{{next}});
  ASSERT_TRUE(w.RunUntil([&] { return w.core(next).role() == Role::kLeader; }, seconds(2)));
  while (w.core(next).commit_index() < w.core(next).GetStatus().last) {
    w.Run(LeaseWorld::kStep);
    ASSERT_LT(w.now(), seconds(20));
  }
  EXPECT_FALSE(w.HoldsLease(silent)) << "nothing of the new term is committed before that";
}

TEST_F(Leases, ANewLeaderWaitsForNobodyWhoAnswers) {
  const uint64_t old = w.leader(), next = w.Follower();
  w.Step(old, TransferLeadership{{next}});
  w.Settle();
  ASSERT_EQ(w.core(next).role(), Role::kLeader);
  EXPECT_EQ(w.core(next).commit_index(), w.core(next).GetStatus().last) << "its no-op, without any wait";
}

// The wait runs from when the voters last answered the dead leader, not from the election.
TEST_F(Leases, AfterALeadersDeathTheWaitIsCountedFromItsLastRound) {
  const uint64_t old = w.leader();
  w.Crash(old);
  const Duration died = w.now();
  ASSERT_TRUE(w.RunUntil([&] { return w.leader() != 0; }, seconds(3)));
  const Duration elected = w.now();
  ASSERT_TRUE(w.RunUntil([&] { return w.commit() == w.last(); }, seconds(3)));
  EXPECT_GE(elected - died, t.election_min);
  EXPECT_LT(w.now() - elected, t.lease_wait - t.election_min / 2);
  EXPECT_LT(w.now() - died, t.lease_wait + (t.lease_wait - t.lease) + 2 * t.heartbeat);
}

TEST_F(Leases, FollowersAnswerThroughAnElection) {
  const uint64_t old = w.leader();
  w.Crash(old);
  ASSERT_TRUE(w.RunUntil(
      [&] {
        for (uint64_t id = 1; id <= 3; ++id) EXPECT_TRUE(id == old || w.HoldsLease(id)) << id;
        return w.leader() != 0;
      },
      seconds(3)));
  ASSERT_TRUE(
      w.RunUntil([&] { return w.HoldsLease(1) + w.HoldsLease(2) + w.HoldsLease(3) >= 2; }, seconds(3)));
}

TEST_F(Leases, WhoSaysGoodbyeIsNotWaitedFor) {
  const uint64_t id = w.Follower();
  w.Step(id, Leave{});
  EXPECT_FALSE(w.HoldsLease(id)) << "before anybody is told";
  w.Settle();
  w.Crash(id);
  w.Propose();
  w.Settle();
  EXPECT_EQ(w.commit(), w.last());
}

TEST_F(Leases, AGoodbyeOfAnotherIncarnationEndsNothing) {
  const uint64_t id = w.Follower();
  w.Isolate(id);
  w.Deliver({{id}, {w.leader()}, w.core(id).term(), Goodbye{77}});
  w.Propose();
  w.Settle();
  EXPECT_LT(w.commit(), w.last());
}

// It heartbeats, but takes no appends.
TEST_F(Leases, AHolderThatLeavesAnAppendUnacknowledgedGetsNoNewLease) {
  const uint64_t id = w.Follower();
  w.stuck_disks = {id};
  w.Propose();
  w.Run(t.ack_late + 2 * t.heartbeat);
  EXPECT_NE(w.PeerOf(id).lease, LeaseState::kHolder);
  w.Run(t.lease);
  EXPECT_FALSE(w.HoldsLease(id));
  w.stuck_disks = {};
  EXPECT_TRUE(w.RunUntil([&] { return w.Healthy(); }, seconds(10)));
}

// Entries are lost on the way to it, while its heartbeats come through.
TEST_F(Leases, AHolderThatHoldsUpCommitmentsIsMadeToGiveItsLeaseBack) {
  const uint64_t id = w.Follower();
  w.hold = [&](const Message& m) {
    const auto* append = std::get_if<AppendEntries>(&m.body);
    return m.to.value == id && append && !append->entries.empty();
  };
  w.Propose();
  const Duration began = w.now();
  ASSERT_TRUE(w.RunUntil([&] { return w.commit() == w.last(); }, seconds(5)));
  EXPECT_FALSE(w.HoldsLease(id));
  EXPECT_LE(w.now() - began, t.ack_late + 3 * t.heartbeat) << "sooner than its lease would have died";
}

// Rule (b): match >= F, as it was first written, starves a far member for ever under steady writes.
TEST_F(Leases, AFarMemberRegainsItsLeaseUnderSteadyWrites) {
  const uint64_t far = w.Follower();
  w.Crash(far);
  w.Run(t.lease_wait);
  w.Start(far);
  std::vector<std::pair<Duration, Message>> late;  // its acknowledgements take 60 ms
  w.hold = [&](const Message& m) { return m.from.value == far; };
  const auto write_and_deliver = [&] {
    w.Propose();
    for (const Message& m : std::exchange(w.held, {})) late.emplace_back(w.now() + milliseconds(60), m);
    while (!late.empty() && late.front().first <= w.now()) {
      w.Deliver(late.front().second);
      late.erase(late.begin());
    }
  };
  ASSERT_TRUE(w.RunUntil([&] { return write_and_deliver(), w.HoldsLease(far); }, seconds(10)));
  const bool lost = w.RunUntil([&] { return write_and_deliver(), !w.HoldsLease(far); }, 10 * t.lease);
  EXPECT_FALSE(lost) << "some commitment always waits for it, but none for long";
}

TEST_F(Leases, ALongDeadMemberLeavesTheRosterAndComesBackWhenWell) {
  const uint64_t id = w.Follower();
  w.Crash(id);
  const auto eligible = [&] { return IsLeaseEligible(w.configuration(w.leader()), {id}); };
  ASSERT_TRUE(w.RunUntil([&] { return !eligible(); }, seconds(10)));
  const uint64_t old = w.leader();
  const uint64_t next = 6 - old - id;
  w.Step(old, TransferLeadership{{next}});
  w.Settle();
  EXPECT_EQ(w.core(next).commit_index(), w.core(next).GetStatus().last)
      << "the next leader does not wait for it";
  w.Start(id);
  EXPECT_TRUE(w.RunUntil([&] { return w.Healthy(); }, seconds(10)));
  EXPECT_TRUE(eligible());
}

TEST_F(Leases, SwitchedOffNobodyHoldsOneAndNobodyIsWaitedFor) {
  Configuration c = w.configuration(w.leader());
  c.leases_on = false;
  for (Member& m : c.members) m.lease_eligible = false;
  auto payload = std::make_shared<const std::string>(EncodeConfiguration(c));
  w.Step(w.leader(), Propose{{{.type = EntryType::kConfiguration, .payload = payload}}});
  w.Settle();
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_FALSE(w.HoldsLease(id) && id != w.leader()) << id;
  w.Run(t.lease_wait + t.heartbeat);
  for (uint64_t id = 1; id <= 3; ++id) EXPECT_FALSE(w.HoldsLease(id)) << id;
  w.Crash(w.Follower());
  w.Propose();
  w.Settle();
  EXPECT_EQ(w.commit(), w.last());
  w.Run(seconds(5));
  EXPECT_FALSE(w.configuration(w.leader()).leases_on) << "and the leader does not undo it";
  EXPECT_FALSE(w.configuration(w.leader()).members[0].lease_eligible);
}

// Safety hangs on T_wait: it is raised before the lease and lowered long after it.
TEST_F(Leases, TheLengthChangesInSafeSteps) {
  const auto set_wanted = [&](Duration lease) {
    Configuration c = w.configuration(w.leader());
    c.timing.lease_wanted = lease;
    auto payload = std::make_shared<const std::string>(EncodeConfiguration(c));
    w.Step(w.leader(), Propose{{{.type = EntryType::kConfiguration, .payload = payload}}});
  };
  std::vector<std::pair<Duration, Duration>> seen;  // lease, wait
  const auto watch = [&] {
    const Timing now = w.configuration(w.leader()).timing;
    if (seen.empty() || seen.back() != std::pair(now.lease, now.lease_wait))
      seen.emplace_back(now.lease, now.lease_wait);
    return now.lease == now.lease_wanted && now.lease_wait == LeaseWaitFor(now.lease);
  };
  const Duration longer = seconds(2), wait = LeaseWaitFor(longer);
  set_wanted(longer);
  ASSERT_TRUE(w.RunUntil(watch, seconds(10)));
  EXPECT_EQ(seen, (std::vector<std::pair<Duration, Duration>>{
                      {t.lease, t.lease_wait}, {t.lease, wait}, {longer, wait}}));
  seen.clear();
  set_wanted(t.lease);
  const Duration began = w.now();
  ASSERT_TRUE(w.RunUntil(watch, seconds(20)));
  EXPECT_EQ(seen, (std::vector<std::pair<Duration, Duration>>{
                      {longer, wait}, {t.lease, wait}, {t.lease, t.lease_wait}}));
  EXPECT_GT(w.now() - began, wait) << "leases of the old length had run out";
}

TEST_F(Leases, AClockThatRunsTooFastGetsNone) {
  // Member 1's echoes are moved on: its clock gains a fifth.
  const uint64_t id = w.Follower();
  const Duration from = w.now();
  w.hold = [&](const Message& m) {
    return m.from.value == id && std::holds_alternative<AppendEntriesReply>(m.body);
  };
  const bool noticed = w.RunUntil(
      [&] {
        for (Message& m : w.held) {
          auto& reply = std::get<AppendEntriesReply>(m.body);
          reply.echo = reply.echo + (w.now() - from) / 5;
          w.Deliver(m);
        }
        w.held.clear();
        return w.PeerOf(id).lease == LeaseState::kDrift;
      },
      seconds(25));
  EXPECT_TRUE(noticed);
  EXPECT_GT(w.PeerOf(id).drift_ppm, 150'000);
}

// Freshness is for `bounded` answers: everything committed anywhere by then is applied.
TEST_F(Leases, FreshnessGoesOnWhereverAMemberHearsTheLeaderAndStopsWhereNot) {
  const uint64_t id = w.Follower();
  w.Run(t.heartbeat * 4);
  for (uint64_t member = 1; member <= 3; ++member) {
    EXPECT_LE(w.core(member).fresh_as_of(), w.clock(member));
    EXPECT_GE(w.core(member).fresh_as_of(), w.clock(member) - 4 * t.heartbeat) << member;
  }
  w.Isolate(id);
  const BootTime cut = w.clock(id);
  w.Run(seconds(2));
  EXPECT_LE(w.core(id).fresh_as_of(), cut);
}

// The round may have begun with a commit index below what a predecessor had committed.
TEST_F(Leases, ANewLeaderIsNotFreshBeforeItsNoOpIsApplied) {
  const uint64_t old = w.leader(), silent = w.Follower();
  const uint64_t next = 6 - old - silent;
  w.Isolate(silent);
  w.Step(old, TransferLeadership{{next}});
  ASSERT_TRUE(w.RunUntil([&] { return w.core(next).role() == Role::kLeader; }, seconds(2)));
  const BootTime elected = w.clock(next);
  while (w.core(next).commit_index() < w.core(next).GetStatus().last) {
    EXPECT_LE(w.core(next).fresh_as_of(), elected);
    w.Run(LeaseWorld::kStep);
    ASSERT_LT(w.now(), seconds(20));
  }
  EXPECT_TRUE(w.RunUntil([&] { return w.core(next).fresh_as_of() > elected; }, seconds(1)));
}

// The floor of an old leader's stamp may be an entry that never comes.
TEST_F(Leases, AStampWhoseFloorWasCutOffHoldsUpNoLaterOne) {
  const uint64_t id = w.Follower();
  const auto stamped = [&](uint64_t above) {
    const Status s = w.core(id).GetStatus();
    AppendEntries m{.prev_index = s.last, .prev_term = *w.core(id).TermAt(s.last), .leader_commit = s.commit};
    m.entries.push_back({s.last + 1, s.hard_state.current_term, EntryType::kNoOp, nullptr});
    m.stamp =
        Stamp{.echo = w.clock(id), .incarnation = 2, .seq = 1, .floor = s.last + above, .lease = Duration(0)};
    return Message{{w.leader()}, {id}, s.hard_state.current_term, m};
  };
  w.Isolate(id);
  w.Deliver(stamped(1));
  const BootTime before = w.core(id).fresh_as_of();
  w.Heal();
  w.Step(id, Tick{});
  EXPECT_TRUE(w.RunUntil([&] { return w.core(id).fresh_as_of() > before + t.lease; }, seconds(5)));
}

// Lengths of nothing would make the next leader forget who still holds a lease.
TEST_F(Leases, ALeaseSetToNothingIsStillWaitedFor) {
  const uint64_t silent = w.Follower();
  const uint64_t old = w.leader();
  const uint64_t next = 6 - old - silent;
  Configuration c = w.configuration(old);
  c.timing.lease = c.timing.lease_wanted = Duration(0);
  auto payload = std::make_shared<const std::string>(EncodeConfiguration(c));
  w.Step(old, Propose{{{.type = EntryType::kConfiguration, .payload = payload}}});
  w.Settle();
  ASSERT_TRUE(w.HoldsLease(silent)) << "it was granted before";
  w.Isolate(silent);
  w.Step(old, TransferLeadership{{next}});
  ASSERT_TRUE(w.RunUntil([&] { return w.core(next).role() == Role::kLeader; }, seconds(2)));
  while (w.core(next).commit_index() < w.core(next).GetStatus().last) {
    w.Run(LeaseWorld::kStep);
    ASSERT_LT(w.now(), seconds(20));
  }
  EXPECT_FALSE(w.HoldsLease(silent));
}

TEST(LeasesOfLearners, ALearnerHoldsOneAndIsWaitedFor) {
  LeaseWorld w(3, 1);
  ASSERT_TRUE(w.RunUntil([&] { return w.Healthy(); }, seconds(5)));
  w.Isolate(4);
  w.Propose();
  w.Settle();
  EXPECT_LT(w.commit(), w.last());
  ASSERT_TRUE(w.RunUntil([&] { return w.commit() == w.last(); }, seconds(5)));
  EXPECT_FALSE(w.HoldsLease(4));
}

TEST(LeasesOfOne, ALoneVoterHoldsItsOwn) {
  LeaseWorld w(1);
  EXPECT_TRUE(w.RunUntil([&] { return w.HoldsLease(1); }, seconds(1)));
}

TEST(LeasesOfANewGroup, ItsFirstLeaderPutsTheTimesIntoTheConfiguration) {
  Configuration c{.members = {{.id = {1}}}};
  MemberModel m({.self = {1}, .initial_timing = LanTiming()},
                MemberModel::Disk{.base = {.configuration = c}});
  BootTime now{seconds(1)};
  m.Start(now);
  std::vector<Timing> seen;
  for (int i = 0; i < 200; ++i) {
    now = now + milliseconds(10);
    m.Step(now, Tick{});
    const MemberModel::Synced synced = m.Sync(SIZE_MAX);
    const Effects e = synced.durable ? m.Step(now, *synced.durable) : Effects{};
    if (!e.committed.empty()) m.Step(now, Applied{e.committed.back().index});
    const Timing timing = m.core().GetStatus().configuration.timing;
    if (seen.empty() || seen.back() != timing) seen.push_back(timing);
  }
  ASSERT_EQ(seen.size(), 4u) << "none; times without leases; the wait; the lease";
  EXPECT_EQ(seen[1].lease, Duration(0));
  EXPECT_EQ(seen[2].lease, Duration(0));
  EXPECT_EQ(seen[2].lease_wait, LanTiming().lease_wait);
  EXPECT_EQ(seen[3], LanTiming());
  EXPECT_LT(now, m.core().lease_until());
}

TEST(Timings, PresetsAreSoundAndAShortWaitIsNot) {
  EXPECT_EQ(WhyUnsound(LanTiming()), "");
  EXPECT_EQ(WhyUnsound(WanTiming()), "");
  Timing t = LanTiming();
  t.lease_wait = t.lease;
  EXPECT_NE(WhyUnsound(t), "");
  EXPECT_GE(LanTiming().lease, LanTiming().heartbeat + LanTiming().election_max) << "followers answer on";
  // Whatever may be wanted, the steps towards it are sound too.
  t = LanTiming();
  t.lease_wanted = kLeaseMax;
  EXPECT_EQ(WhyUnsound(t), "");
  t.lease_wait = LeaseWaitFor(t.lease_wanted);
  EXPECT_EQ(WhyUnsound(t), "");
  t.lease = t.lease_wanted;
  EXPECT_EQ(WhyUnsound(t), "");
  t.lease_wanted += milliseconds(1);
  EXPECT_NE(WhyUnsound(t), "");
}

}  // namespace
}  // namespace quorate::raft

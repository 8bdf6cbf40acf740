// Deliberate bugs of the read leases that random runs hardly ever meet, each on the way that leads to it.
// Without the bug the same way ends well.
#include <gtest/gtest.h>

#include "raft/codec.h"
#include "raft/lease_world.h"
#include "sim/with_mutant.h"

namespace quorate::sim {
namespace {

using raft::LeaseWorld;
using std::chrono::milliseconds;
using std::chrono::seconds;

// Member 4 is made eligible by an entry that nobody else gets to see, and that its own disk never takes. Then
// the leader is cut off. True: a write is committed that member 4, reading by its lease, does not know of.
bool ALeaseOutsideTheRoster() {
  LeaseWorld w(5);
  if (!w.RunUntil([&] { return w.Healthy(); }, seconds(5))) return false;
  if (w.leader() == 4) {
    w.Step(4, raft::TransferLeadership{{1}});
    if (!w.RunUntil([&] { return w.leader() == 1 && w.Healthy(); }, seconds(5))) return false;
  }
  const uint64_t old = w.leader();
  const auto set_eligible = [&](bool eligible, uint64_t member) {
    raft::Configuration c = w.configuration(old);
    for (raft::Member& m : c.members)
      if (m.id.value == member) m.lease_eligible = eligible, m.lease_barred = !eligible;
    auto payload = std::make_shared<const std::string>(raft::EncodeConfiguration(c));
    w.Step(old, raft::Propose{{{.type = raft::EntryType::kConfiguration, .payload = payload}}});
    w.Settle();
  };
  set_eligible(false, 4);
  set_eligible(false, old);  // else its successor would wait for it
  w.Run(raft::LanTiming().lease_wait + milliseconds(100));
  w.stuck_disks = {4, old};
  w.hold = [&](const raft::Message& m) {
    const auto* append = std::get_if<raft::AppendEntries>(&m.body);
    return m.from.value == old && m.to.value != 4 && append && !append->entries.empty();
  };
  set_eligible(true, 4);
  w.Run(milliseconds(200));
  for (uint64_t id = 1; id <= 5; ++id)
    if (id != old) w.Cut(old, id), w.Cut(id, old);
  for (uint64_t id = 1; id <= 5; ++id)
    if (id != 4) w.Cut(4, id), w.Cut(id, 4);
  for (const Duration end = w.now() + seconds(2); w.now() < end;) {
    w.Run(LeaseWorld::kStep);
    for (uint64_t id = 1; id <= 5; ++id) {
      const raft::Core& core = w.core(id);
      const bool leads_anew = id != old && core.role() == raft::Role::kLeader;
      if (!leads_anew) continue;
      const raft::Status s = core.GetStatus();
      const bool ahead = s.commit == s.last && w.core(4).TermAt(s.last) != s.hard_state.current_term;
      if (ahead && w.HoldsLease(4)) return true;
    }
  }
  return false;
}

TEST(DirectedMutants, ARosterUsedBeforeItIsCommittedIsCaught) {
  EXPECT_FALSE(ALeaseOutsideTheRoster());
  const WithMutant mutant("roster-used-before-commit");
  EXPECT_TRUE(ALeaseOutsideTheRoster());
}

// A leader that nobody hears any more gets an answer to a round of an earlier term. True: it takes that for
// the quorum of its present round, and reads on.
bool AnOldAnswerConfirms() {
  LeaseWorld w(3);
  if (!w.RunUntil([&] { return w.Healthy(); }, seconds(5))) return false;
  const uint64_t leader = w.leader(), other = w.Follower();
  w.Isolate(leader);
  w.Run(raft::LanTiming().heartbeat * 2);
  const BootTime before = w.core(leader).lease_until();
  const raft::Status s = w.core(leader).GetStatus();
  for (uint64_t round = 1; round < 200; ++round) {
    raft::AppendEntriesReply reply{.matched = true, .received = s.last, .durable = s.last, .round = round};
    reply.request_term = Term{s.hard_state.current_term.value - 1};
    reply.incarnation = 2;  // of its first start
    reply.echo = w.clock(other);
    w.Deliver({{other}, {leader}, s.hard_state.current_term, reply});
  }
  w.Run(raft::LanTiming().heartbeat);
  return w.core(leader).lease_until() > before;
}

TEST(DirectedMutants, ARoundThatIsNotBoundToItsTermIsCaught) {
  EXPECT_FALSE(AnOldAnswerConfirms());
  const WithMutant mutant("rounds-not-bound-to-term");
  EXPECT_TRUE(AnOldAnswerConfirms());
}

// A snapshot ends at an entry that the member has of another term. True: what followed that is still in its
// log.
bool AConflictingSuffixStays() {
  raft::MemberModel::Disk disk{.hard_state = {Term{2}, {}}};
  disk.base.configuration.members = {{.id = {1}}, {.id = {2}}, {.id = {3}}};
  for (const auto& [index, term] : {std::pair(1, 1), std::pair(2, 2), std::pair(3, 2)})
    disk.entries.push_back({LogIndex{static_cast<uint64_t>(index)}, Term{static_cast<uint64_t>(term)},
                            raft::EntryType::kCommand, std::make_shared<const std::string>("x")});
  raft::MemberModel member({.self = {2}}, disk);
  const BootTime now{seconds(1)};
  member.Start(now);
  member.set_incoming_state(std::vector<raft::LogEntry>(2, raft::LogEntry{.term = Term{3}}));
  member.Step(now, raft::SnapshotReceived{{1}, Term{3}, {LogIndex{2}, Term{3}, disk.base.configuration}});
  return member.core().TermAt(LogIndex{3}).has_value();
}

TEST(DirectedMutants, ASnapshotThatKeepsAConflictingSuffixIsCaught) {
  EXPECT_FALSE(AConflictingSuffixStays());
  const WithMutant mutant("snapshot-keeps-conflicting-suffix");
  EXPECT_TRUE(AConflictingSuffixStays());
}

}  // namespace
}  // namespace quorate::sim

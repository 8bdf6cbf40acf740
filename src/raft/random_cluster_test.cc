// A whole cluster in memory, driven by a seed: messages are lost, repeated and reordered, links cut one way
// and both, members crash and lose what was not synced, logs are compacted, leadership is handed over, voters
// become learners and learners voters. After
// every step Raft's properties are checked (Raft Figure 3), that reads see what was committed before them,
// and that whoever holds a read lease has everything committed in memory. Clocks run at different rates and
// begin anew. RAFT_SEEDS=n runs more seeds, RAFT_SEED=s one of them.
#include <gtest/gtest.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/rng.h"
#include "raft/codec.h"
#include "raft/member_model.h"

namespace quorate::raft {
namespace {

using std::chrono::milliseconds;

class RandomCluster {
 public:
  RandomCluster(uint64_t seed, size_t voters, size_t learners, bool leases) : rng_(seed), leases_(leases) {
    if (leases) configuration_.timing = LanTiming();
    configuration_.leases_on = leases;
    for (uint64_t i = 1; i <= voters + learners; ++i) {
      configuration_.members.push_back({.id = {i}, .voter = i <= voters});
    }
    for (const Member& m : configuration_.members) {
      CoreConfig config{.self = m.id, .seed = rng_.Next()};
      config.append_bytes_max = 400;
      config.inflight_messages_max = 4;
      config.uncommitted_bytes_max = 4000;
      members_.emplace_back(config, MemberModel::Disk{.base = {.configuration = configuration_}});
      clocks_.push_back({});
      Boot(members_.back());
    }
  }

  void Run(int steps) {
    for (int i = 0; i < steps && !::testing::Test::HasFailure(); ++i) RandomEvent();
    Heal();
  }

  // With everybody up and every link whole the cluster must come to rest with one leader and equal logs.
  void ExpectProgress() {
    const size_t before = committed_.size();
    for (int i = 0; i < 100000 && !::testing::Test::HasFailure(); ++i) {
      QuietEvent();
      if (i % 50 == 0) Propose();
      if (committed_.size() > before + 20 && AllApplied() && (!leases_ || AllHoldLeases())) return;
    }
    FAIL() << "no progress: committed " << committed_.size() << ", was " << before << "\n" << Describe();
  }

  size_t committed() const { return committed_.size(); }
  size_t elections() const { return leaders_.size(); }
  size_t reads_answered() const { return reads_answered_; }
  size_t snapshots() const { return snapshots_; }

  size_t lease_checks() const { return lease_checks_; }
  size_t changes() const { return changes_; }

 private:
  struct ClockOf {
    BootTime started{};    // in the world's time
    int64_t permille = 0;  // of it, what this clock tells
    Duration uptime{0};    // at `started`
  };
  // Two clocks differ by at most rho from the true rate.
  void Boot(MemberModel& m) {
    clocks_[m.id().value - 1] = {now_, static_cast<int64_t>(900 + rng_.Below(201)),
                                 milliseconds(1 + rng_.Below(100000))};
    m.Start(TimeAt(m));
  }
  void Restart(MemberModel& m) { rng_.Chance(1, 2) ? Boot(m) : m.Start(TimeAt(m)); }
  BootTime TimeAt(const MemberModel& m) const {
    const ClockOf& c = clocks_[m.id().value - 1];
    return {c.uptime + (now_ - c.started) * c.permille / 1000};
  }
  MemberModel& Any() { return members_[rng_.Below(members_.size())]; }

  void RandomEvent() {
    const uint64_t dice = rng_.Below(1000);
    if (dice < 500) return Deliver();
    if (dice < 700) return SyncSome(Any());
    if (dice < 860) return Pass();
    if (dice < 910) return Propose();
    if (dice < 940) return Read();
    if (dice < 955) return Compact(Any());
    if (dice < 965) return Any().FlushState();
    if (dice < 975) return CutSomething();
    if (dice < 980) return cuts_.clear();
    if (dice < 990) return CrashOrStart(Any());
    if (dice < 993) return Transfer();
    if (dice < 996) return Reconfigure();
    FinishSnapshot();
  }
  void QuietEvent() {
    const uint64_t dice = rng_.Below(100);
    if (dice < 60) return Deliver(/*faults=*/false);
    if (dice < 85) return SyncSome(Any());
    if (dice < 95) return Pass(/*most_ms=*/6);
    FinishSnapshot();
  }

  void Pass(uint64_t most_ms = 20) {
    now_ = now_ + milliseconds(1 + rng_.Below(most_ms));
    for (MemberModel& m : members_) {
      if (m.up() && rng_.Chance(9, 10)) Step(m, Tick{});
    }
  }
  void Deliver(bool faults = true) {
    if (net_.empty()) return;
    // Mostly in order, sometimes not.
    const size_t at = rng_.Chance(3, 4) ? 0 : rng_.Below(net_.size());
    const Message m = net_[at];
    if (!faults || !rng_.Chance(1, 20)) net_.erase(net_.begin() + static_cast<std::ptrdiff_t>(at));
    if (faults && rng_.Chance(1, 20)) return;
    MemberModel& to = members_[m.to.value - 1];
    if (to.up() && !cuts_.contains({m.from, m.to})) Step(to, Receive{m});
  }
  void Send(const std::vector<Message>& messages) {
    for (const Message& m : messages) {
      ByteWriter bytes;
      EncodeMessage(m, bytes);
      std::optional<Message> decoded = DecodeMessage(bytes.str());
      ASSERT_TRUE(decoded);
      net_.push_back(*std::move(decoded));
    }
    // A full queue drops.
    while (net_.size() > 2000) net_.erase(net_.begin());
  }
  void SyncSome(MemberModel& m) {
    if (!m.up() || !m.writing()) return;
    MemberModel::Synced synced = m.Sync(1 + rng_.Below(m.unsynced_writes()));
    Send(synced.send);
    if (synced.durable) Step(m, *synced.durable);
  }
  void Propose() {
    MemberModel& m = Any();
    if (!m.up()) return;
    auto payload =
        std::make_shared<const std::string>(std::to_string(++proposals_) + std::string(rng_.Below(200), '.'));
    Step(m, raft::Propose{{{.tag = proposals_, .payload = payload}}});
  }
  void Read() {
    MemberModel& m = Any();
    if (!m.up()) return;
    reads_[++last_read_] = LogIndex{committed_.size()};
    Step(m, ReadRequest{last_read_});
  }
  void Transfer() {
    MemberModel& m = Any();
    if (m.up()) Step(m, TransferLeadership{{rng_.Below(members_.size() + 1)}});
  }
  // Any voters become learners and any learners voters, in one step.
  void Reconfigure() {
    MemberModel& m = Any();
    if (!m.up() || m.core().role() != Role::kLeader) return;
    Configuration c = m.core().GetStatus().configuration;
    for (Member& member : c.members)
      if (rng_.Chance(1, 3)) member.voter = !member.voter;
    if (std::ranges::none_of(c.members, &Member::voter)) return;
    auto payload = std::make_shared<const std::string>(EncodeConfiguration(c));
    const LogIndex last = m.core().GetStatus().last;
    Step(m, raft::Propose{{{.tag = ++proposals_, .type = EntryType::kConfiguration, .payload = payload}}});
    changes_ += m.core().GetStatus().last > last;
  }
  void Compact(MemberModel& m) {
    if (!m.up()) return;
    m.FlushState();
    const LogIndex through = m.core().GetStatus().applied;
    Step(m, Compacted{through});
    // As the log thread does it: behind all writes.
    const MemberModel::Synced synced = m.Sync(m.unsynced_writes());
    Send(synced.send);
    m.CompactDisk(through);
    if (synced.durable) Step(m, *synced.durable);
  }
  void CrashOrStart(MemberModel& m) {
    if (m.up()) {
      if (rng_.Chance(1, 3)) m.FlushState();
      if (rng_.Chance(1, 4)) Step(m, Leave{});
      m.Crash();
      std::erase_if(snapshots_under_way_, [&](const auto& s) { return s.first == m.id(); });
    } else {
      Restart(m);
    }
  }
  void CutSomething() {
    const MemberId a = Any().id(), b = Any().id();
    if (rng_.Chance(1, 2)) {
      cuts_.insert({a, b});  // one way
    } else {
      for (const MemberModel& other : members_) cuts_.insert({a, other.id()}), cuts_.insert({other.id(), a});
    }
  }
  void Heal() {
    cuts_.clear();
    for (MemberModel& m : members_) {
      if (!m.up()) Restart(m);
    }
  }
  // The driver's part: carries the bytes, or fails to.
  void FinishSnapshot() {
    if (snapshots_under_way_.empty()) return;
    const auto [leader_id, to_id] = *snapshots_under_way_.begin();
    snapshots_under_way_.erase(snapshots_under_way_.begin());
    MemberModel &leader = members_[leader_id.value - 1], &to = members_[to_id.value - 1];
    if (!leader.up()) return;
    const LogIndex index{leader.state().size()};
    const bool arrives = to.up() && rng_.Chance(3, 4) && !cuts_.contains({leader_id, to_id});
    if (arrives) {
      to.set_incoming_state(leader.state());
      Step(to, SnapshotReceived{leader_id,
                                leader.core().term(),
                                {index, leader.state().back().term, leader.ConfigurationAsOf(index)}});
      ++snapshots_;
      const MemberModel::Synced synced = to.Sync(to.unsynced_writes());
      Send(synced.send);
      if (synced.durable) Step(to, *synced.durable);
    }
    Step(leader, SnapshotSent{to_id, arrives, index});
  }

  void Step(MemberModel& m, const Input& input) {
    const Effects e = m.Step(TimeAt(m), input);
    Send(e.send_now);
    for (MemberId to : e.need_snapshot) snapshots_under_way_.insert({m.id(), to});
    for (const ReadResult& r : e.reads) CheckRead(r);
    for (const LogEntry& entry : e.committed) CheckCommitted(m, entry);
    CheckLeases();
    CheckLeader(m);
    if (!e.append.empty()) CheckLogMatching(m);
    if (e.committed.empty()) return;
    Step(m, Applied{e.committed.back().index});
  }

  // --- the properties ---
  void CheckRead(const ReadResult& r) {
    const auto asked = reads_.find(r.id);
    ASSERT_NE(asked, reads_.end()) << "read " << r.id << " was answered twice";
    if (r.ok) {
      ++reads_answered_;
      EXPECT_GE(r.index, asked->second) << "a stale read";
    }
    reads_.erase(asked);
  }
  // State Machine Safety.
  void CheckCommitted(const MemberModel& m, const LogEntry& entry) {
    const auto [it, first] = committed_.try_emplace(entry.index, entry);
    EXPECT_EQ(it->second.term, entry.term)
        << "member " << m.id() << " applies another entry at " << entry.index;
    EXPECT_EQ(it->second.bytes() > 0 ? *it->second.payload : "", entry.bytes() > 0 ? *entry.payload : "");
    EXPECT_EQ(committed_.size(), std::max<size_t>(entry.index.value, first ? 0 : committed_.size()))
        << "a gap";
  }
  // Whoever may answer from memory has all that anybody may have seen, applied or pending.
  void CheckLeases() {
    if (committed_.empty()) return;
    const auto& [index, entry] = *committed_.rbegin();
    for (const MemberModel& m : members_) {
      if (!m.up() || TimeAt(m) >= m.core().lease_until()) continue;
      ++lease_checks_;
      const bool applied = m.state().size() >= index.value;
      ASSERT_TRUE(applied || m.core().TermAt(index) == entry.term)
          << "member " << m.id() << " holds a lease without entry " << index << " of term " << entry.term;
    }
  }
  bool AllHoldLeases() const {
    return std::ranges::all_of(members_,
                               [&](const MemberModel& m) { return TimeAt(m) < m.core().lease_until(); });
  }
  // Election Safety and Leader Completeness.
  void CheckLeader(const MemberModel& m) {
    if (m.core().role() != Role::kLeader) return;
    const auto [it, first] = leaders_.try_emplace(m.core().term(), m.id());
    ASSERT_EQ(it->second, m.id()) << "two leaders of term " << m.core().term();
    if (!first) return;
    for (const auto& [index, entry] : committed_) {
      if (index < m.core().GetStatus().first) continue;
      ASSERT_EQ(m.core().TermAt(index), entry.term) << "leader " << m.id() << " lacks committed " << index;
    }
  }
  // Log Matching: where two logs have an entry of the same index and term, all before it are equal.
  void CheckLogMatching(const MemberModel& m) {
    const Status mine = m.core().GetStatus();
    for (const MemberModel& other : members_) {
      if (!other.up() || other.id() == m.id()) continue;
      const Status theirs = other.core().GetStatus();
      bool agree = false;
      for (LogIndex i = std::min(mine.last, theirs.last); i >= std::max(mine.first, theirs.first) && i;
           i = i - 1) {
        const bool same = m.core().TermAt(i) == other.core().TermAt(i);
        ASSERT_TRUE(same || !agree) << "logs of " << m.id() << " and " << other.id() << " differ at " << i;
        agree |= same;
      }
    }
  }

  bool AllApplied() const {
    return std::ranges::all_of(members_,
                               [&](const MemberModel& m) { return m.state().size() == committed_.size(); });
  }
  std::string Describe() const {
    std::ostringstream out;
    for (const MemberModel& m : members_) {
      const Status s = m.core().GetStatus();
      out << m.id() << ": role " << static_cast<int>(s.role) << " leader " << s.leader << " term "
          << s.hard_state.current_term << " log " << s.first << ".." << s.last << " durable " << s.durable
          << " commit " << s.commit << " refused " << s.refused_messages << " rivals " << s.rival_leaders
          << " base term " << m.core().TermAt(s.first - 1).value_or(Term{99}) << "\n";
      for (const PeerStatus& p : s.peers) {
        out << "   peer " << p.id << " match " << p.match << " next " << p.next << " state "
            << static_cast<int>(p.state) << " lease " << static_cast<int>(p.lease) << "\n";
      }
    }
    return out.str();
  }

  Rng rng_;
  const bool leases_;
  BootTime now_{std::chrono::seconds(1)};
  std::vector<ClockOf> clocks_;
  Configuration configuration_;
  std::vector<MemberModel> members_;
  std::vector<Message> net_;
  std::set<std::pair<MemberId, MemberId>> cuts_;
  std::set<std::pair<MemberId, MemberId>> snapshots_under_way_;  // leader, follower
  std::map<LogIndex, LogEntry> committed_;
  std::map<Term, MemberId> leaders_;
  std::map<uint64_t, LogIndex> reads_;  // what was committed when they were asked
  uint64_t last_read_ = 0, proposals_ = 0;
  size_t reads_answered_ = 0, snapshots_ = 0, lease_checks_ = 0, changes_ = 0;
};

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

TEST(RandomCluster, KeepsRaftsPropertiesUnderLossReorderingCutsAndCrashes) {
  const uint64_t one = FromEnvironment("RAFT_SEED", 0);
  const uint64_t seeds = FromEnvironment("RAFT_SEEDS", 300);
  size_t committed = 0, elections = 0, reads = 0, snapshots = 0, lease_checks = 0, changes = 0;
  for (uint64_t seed = one ? one : 1; seed <= (one ? one : seeds) && !HasFailure(); ++seed) {
    SCOPED_TRACE("RAFT_SEED=" + std::to_string(seed));
    RandomCluster cluster(seed, /*voters=*/1 + 2 * (seed % 3), /*learners=*/seed % 2,
                          /*leases=*/seed % 4 != 0);
    cluster.Run(4000);
    if (!HasFailure()) cluster.ExpectProgress();
    committed += cluster.committed();
    elections += cluster.elections();
    reads += cluster.reads_answered();
    snapshots += cluster.snapshots();
    lease_checks += cluster.lease_checks();
    changes += cluster.changes();
  }
  // A run in which nothing happens proves nothing.
  if (one) return;
  EXPECT_GT(committed, 50 * seeds);
  EXPECT_GT(elections, 3 * seeds);
  EXPECT_GT(reads, 10 * seeds);
  EXPECT_GT(snapshots, seeds / 4);
  EXPECT_GT(lease_checks, 1000 * seeds);
  EXPECT_GT(changes, seeds / 2);
  RecordProperty("committed", std::to_string(committed));
  std::printf("%zu entries committed, %zu terms led, %zu reads answered, %zu snapshots\n", committed,
              elections, reads, snapshots);
}

}  // namespace
}  // namespace quorate::raft

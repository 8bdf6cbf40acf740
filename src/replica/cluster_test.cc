// Three replicas in one process: real threads, real log files, state in memory, messages by function call.
#include <gmock/gmock.h>

#include <array>
#include <atomic>
#include <filesystem>
#include <future>
#include <memory>
#include <string>

#include "replica/replica.h"
#include "storage/memory/memory_state_store.h"
#include "storage/wal/posix_file_system.h"
#include "storage/wal/wal.h"
#include "testing/await.h"
#include "testing/kv_machine.h"
#include "testing/no_view.h"
#include "transport/loopback/loopback.h"

namespace quorate::replica {
namespace {

using std::chrono::seconds;
using testing::Await;

class Cluster : public ::testing::Test {
 protected:
  struct Node {
    std::unique_ptr<storage::LogStore> log;
    std::unique_ptr<storage::MemoryStateStore> state;
    std::unique_ptr<testing::KvMachine> machine;
    std::unique_ptr<Replica> replica;
  };

  void SetUp() override {
    directory_ = ::testing::TempDir() + "/replica_cluster_XXXXXX";
    ASSERT_NE(mkdtemp(directory_.data()), nullptr);
    for (uint64_t id = 1; id <= 3; ++id) {
      Start(id);
      ASSERT_TRUE(status_of_start_.ok()) << status_of_start_;
    }
  }
  void TearDown() override {
    for (uint64_t id = 1; id <= 3; ++id) Stop(id);
    std::filesystem::remove_all(directory_);
  }

  void Stop(uint64_t id) {
    nodes_[id - 1].replica.reset();  // before what it stands on
    nodes_[id - 1] = {};
  }
  void Start(uint64_t id, storage::PersistentMap image = {}) {
    Node& node = nodes_[id - 1];
    auto log = storage::OpenWal(files_, directory_ + "/" + std::to_string(id), {.segment_bytes = 1 << 20});
    ASSERT_TRUE(log.ok()) << log.status();
    node.log = *std::move(log);
    node.state = std::make_unique<storage::MemoryStateStore>(image);
    node.machine = std::make_unique<testing::KvMachine>(node.state->map());
    node.machine->before_apply = [this] {
      std::this_thread::sleep_for(std::chrono::milliseconds(apply_takes_ms_));
    };
    ReplicaOptions options{
        .core = {.self = MemberId{id}, .seed = ++seed_, .feature_level = feature_level_},
        .group = GroupId{1},
        .on_dismissed = [this, id](raft::Dismissal why) { dismissed_[id - 1] = static_cast<int>(why); }};
    for (uint64_t member = 1; member <= 3; ++member)
      options.bootstrap.members.push_back({.id = MemberId{member}});
    auto replica = Replica::Start(options, {*node.log, *node.state, *node.machine, view_, clock_,
                                            [this, id](transport::MessageHandler handler) {
                                              return network_.Join(MemberId{id}, std::move(handler));
                                            }});
    status_of_start_ = replica.status();
    if (replica.ok()) node.replica = *std::move(replica);
  }

  Client& client(uint64_t id) { return nodes_[id - 1].replica->client(); }

  ProposeOutcome Put(uint64_t id, const std::string& command) {
    std::promise<ProposeOutcome> outcome;
    client(id).Propose(command, seconds(10), [&](ProposeOutcome o) { outcome.set_value(std::move(o)); });
    return outcome.get_future().get();
  }
  absl::Status Read(uint64_t id) {
    std::promise<absl::Status> status;
    client(id).Read(seconds(10), [&](absl::Status s) { status.set_value(s); });
    return status.get_future().get();
  }
  uint64_t AwaitLeader() {
    EXPECT_TRUE(Await([&] { return Leader() != 0; }));
    return Leader();
  }
  uint64_t Leader() {
    for (uint64_t id = 1; id <= 3; ++id)
      if (nodes_[id - 1].replica && client(id).Status().raft.role == raft::Role::kLeader) return id;
    return 0;
  }
  void ExpectDecided(const ProposeOutcome& outcome) {
    EXPECT_TRUE(std::holds_alternative<Decided>(outcome)) << "alternative " << outcome.index();
  }

  SystemClock clock_;
  testing::NoView view_;
  storage::PosixFileSystem files_;
  std::string directory_;
  absl::Status status_of_start_;
  uint64_t seed_ = 0, feature_level_ = raft::kFeatureLevel;
  std::atomic<int> apply_takes_ms_{0};
  std::array<std::atomic<int>, 3> dismissed_{-1, -1, -1};  // a raft::Dismissal
  transport::LoopbackNetwork network_;
  std::array<Node, 3> nodes_;
};

TEST_F(Cluster, AnyReplicaTakesAWriteAndEveryReplicaReadsIt) {
  for (uint64_t id = 1; id <= 3; ++id) ExpectDecided(Put(id, "key=" + std::to_string(id)));
  for (uint64_t id = 1; id <= 3; ++id) {
    EXPECT_TRUE(Read(id).ok());
    EXPECT_EQ(nodes_[id - 1].machine->Get("key"), "3");
  }
}

TEST_F(Cluster, ARestartedReplicaHasWhatItHadAndCatchesUp) {
  ExpectDecided(Put(1, "a=1"));
  Stop(2);
  ExpectDecided(Put(1, "b=2"));
  Start(2);
  EXPECT_TRUE(Read(2).ok());
  EXPECT_EQ(nodes_[1].machine->Get("a"), "1");
  EXPECT_EQ(nodes_[1].machine->Get("b"), "2");
}

TEST_F(Cluster, ALeaderThatStopsHandsOverAndNoCallerWaitsForAnElection) {
  const uint64_t leader = AwaitLeader();
  const uint64_t other = leader % 3 + 1;
  nodes_[leader - 1].replica->Stop();
  ExpectDecided(Put(other, "a=1"));
}

TEST_F(Cluster, AReplicaCutOffFromTheOthersReadsAndWritesNothing) {
  const uint64_t leader = AwaitLeader();
  ExpectDecided(Put(leader, "a=1"));
  network_.Isolate(MemberId{leader});
  std::promise<absl::Status> read;
  client(leader).Read(std::chrono::milliseconds(500), [&](absl::Status s) { read.set_value(s); });
  EXPECT_FALSE(read.get_future().get().ok());
  const uint64_t other = leader % 3 + 1;
  ExpectDecided(Put(other, "a=2"));
  network_.Heal();
  EXPECT_TRUE(Read(leader).ok());
  EXPECT_EQ(nodes_[leader - 1].machine->Get("a"), "2");
}

TEST_F(Cluster, WithoutAQuorumOnlyALocalReadIsAnsweredAndABoundedOneDoesNotWaitForAllItsTime) {
  const uint64_t leader = AwaitLeader();
  ExpectDecided(Put(leader, "a=1"));
  const auto read = [&](Consistency consistency, Duration timeout) {
    std::promise<absl::Status> status;
    client(leader).Read(consistency, timeout, [&](absl::Status s) { status.set_value(s); });
    return status.get_future().get();
  };
  const Consistency bounded{.kind = Consistency::Kind::kBounded, .bound = seconds(5)};
  EXPECT_TRUE(read(bounded, seconds(10)).ok()) << "a quorum answers";
  network_.Isolate(MemberId{leader});
  EXPECT_TRUE(read({.kind = Consistency::Kind::kLocal}, seconds(10)).ok());
  const auto start = std::chrono::steady_clock::now();
  EXPECT_TRUE(read(bounded, seconds(60)).ok()) << "it was fresh a moment ago";
  EXPECT_LT(std::chrono::steady_clock::now() - start, seconds(20));
  network_.Heal();
}

TEST_F(Cluster, TheGateCompletesBarriersAndWakesItsSubscribers) {
  ExpectDecided(Put(1, "a=1"));
  ReadGate& gate = nodes_[2].replica->gate();
  std::atomic<int> woken{0};
  const uint64_t id = gate.Subscribe([&] { ++woken; });
  for (int i = 0; i < 100; ++i) {
    const uint64_t ticket = gate.BeginBarrier();
    ASSERT_TRUE(Await([&] { return gate.completed() >= ticket; }));
  }
  gate.Unsubscribe(id);
  EXPECT_GE(woken.load(), 100);
  EXPECT_EQ(nodes_[2].machine->Get("a"), "1");
  EXPECT_FALSE(gate.HoldsLease(BootTime{Duration(0)}));
}

TEST_F(Cluster, ASlowCommandDelaysNoHeartbeat) {
  const uint64_t leader = AwaitLeader();
  const Term term = client(leader).Status().raft.hard_state.current_term;
  apply_takes_ms_ = 800;
  ExpectDecided(Put(leader, "a=1"));
  EXPECT_EQ(client(leader).Status().raft.hard_state.current_term, term);
}

TEST_F(Cluster, ManyWritesAtOnceShareTheDisk) {
  const uint64_t leader = AwaitLeader();
  constexpr int kWrites = 2000;
  std::atomic<int> decided{0};
  for (int i = 0; i < kWrites; ++i)
    client(leader).Propose("k=" + std::to_string(i), seconds(20), [&](ProposeOutcome outcome) {
      if (std::holds_alternative<Decided>(outcome)) ++decided;
    });
  EXPECT_TRUE(Await([&] { return decided == kWrites; })) << decided;
  EXPECT_EQ(nodes_[leader - 1].machine->Get("k"), std::to_string(kWrites - 1));
}

TEST_F(Cluster, AFollowerThatFellBehindTheLogGetsASnapshot) {
  const uint64_t leader = AwaitLeader(), behind = leader % 3 + 1;
  network_.Isolate(MemberId{behind});
  const std::string value(size_t{64} << 10, 'v');
  for (int i = 0; i < 300; ++i) ExpectDecided(Put(leader, "k" + std::to_string(i) + "=" + value));
  EXPECT_TRUE(Await([&] { return client(leader).Status().raft.first > LogIndex{100}; }))
      << "the log is not cut";
  ASSERT_LT(client(behind).Status().raft.last, LogIndex{100});
  network_.Heal();
  EXPECT_TRUE(Await([&] { return client(behind).Status().state_hash_at >= LogIndex{300}; }));
  EXPECT_TRUE(Read(behind).ok());
  EXPECT_EQ(nodes_[behind - 1].machine->Get("k0"), value);
  // And its log goes on from there, over a restart too.
  ExpectDecided(Put(behind, "after=1"));
  storage::PersistentMap image = nodes_[behind - 1].state->FlushedImage();
  Stop(behind);
  Start(behind, image);
  EXPECT_TRUE(Read(behind).ok());
  EXPECT_EQ(nodes_[behind - 1].machine->Get("after"), "1");
}

TEST_F(Cluster, AVoterLeavesByWayOfAJointConfigurationAndIsTold) {
  ExpectDecided(Put(AwaitLeader(), "a=1"));
  uint64_t gone = 0;
  // Until every member has said what it can, and while there is no leader, the change is refused.
  ASSERT_TRUE(Await([&] {
    const uint64_t leader = Leader();
    if (leader == 0) return false;
    gone = leader % 3 + 1;
    std::promise<absl::Status> status;
    client(leader).Configure(RemoveMember{MemberId{gone}, false}, seconds(10),
                             [&](absl::Status s) { status.set_value(s); });
    const absl::Status done = status.get_future().get();
    return done.ok() || absl::IsNotFound(done);
  }));
  EXPECT_TRUE(Await([&] { return dismissed_[gone - 1] == static_cast<int>(raft::Dismissal::kRemoved); }));
  const uint64_t stays = gone % 3 + 1;
  EXPECT_TRUE(Await([&] { return client(stays).Status().raft.configuration.members.size() == 2; }));
  ExpectDecided(Put(stays, "a=2"));
}

TEST_F(Cluster, AProgramOfAnOlderLevelThanItsGroupsDoesNotStart) {
  ASSERT_TRUE(
      Await([&] { return client(2).Status().raft.configuration.feature_level == raft::kFeatureLevel; }));
  Stop(2);
  feature_level_ = 1;
  Start(2);
  EXPECT_EQ(status_of_start_.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(status_of_start_.message()), ::testing::HasSubstr("feature level 3"));
  feature_level_ = raft::kFeatureLevel;
}

}  // namespace
}  // namespace quorate::replica

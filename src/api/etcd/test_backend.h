// A group of one for the door's tests: the real state machine over memory, applied at once on a thread of its
// own.
#pragma once

#include <atomic>
#include <thread>

#include "api/etcd/server.h"
#include "base/bounded_queue.h"
#include "replica/client.h"
#include "rsm/replicated_state.h"

namespace quorate::api::etcd {

class TestClient final : public replica::Client {
 public:
  explicit TestClient(rsm::StateMachine& machine) : machine_(machine), thread_([this] { Run(); }) {}
  ~TestClient() override {
    jobs_.Close();
    thread_.join();
  }
  void Propose(std::string command, Duration, std::function<void(replica::ProposeOutcome)> done) override {
    Post([this, command = std::move(command), done = std::move(done)] {
      if (refuse) return done(replica::NotProposed{*refuse});
      if (lose) return done(replica::OutcomeUnknown{});
      const LogIndex index = machine_.applied_index() + 1;
      const rsm::Stamp stamp{.group_time = std::chrono::seconds(index.value)};
      const std::string payload = rsm::StampCommand(stamp, command);
      done(replica::Decided{index, machine_.Apply({index, Term{1}, true, payload})});
    });
  }
  using Client::Read;
  void Read(Consistency consistency, Duration, std::function<void(absl::Status)> done) override {
    if (consistency.kind == Consistency::Kind::kLocal) return done(absl::OkStatus());
    last_consistency = consistency;
    Post([this, done = std::move(done)] { ++barriers, done(read_status); });
  }
  void TransferLeadership(MemberId, std::function<void(absl::Status)> done) override {
    done(absl::OkStatus());
  }
  void Configure(replica::ConfigurationChange, Duration, std::function<void(absl::Status)> done) override {
    done(absl::UnimplementedError("not in this test"));
  }
  replica::GroupStatus Status() const override {
    replica::GroupStatus status{.group = GroupId{77}};
    status.raft.self = status.raft.leader = MemberId{3};
    status.raft.hard_state.current_term = Term{5};
    status.raft.commit = status.raft.applied = LogIndex{9};
    status.raft.configuration.members = {{.id = MemberId{3}, .address = "127.0.0.1:1"},
                                         {.id = MemberId{4}, .voter = false, .address = "127.0.0.1:2"}};
    return status;
  }

  // Set while no call is under way.
  std::optional<replica::Refusal> refuse;
  bool lose = false;
  absl::Status read_status;
  std::atomic<int> barriers{0};
  Consistency last_consistency;

 private:
  void Post(std::function<void()> job) { CHECK(jobs_.TryPush(std::move(job))); }
  void Run() {
    while (!jobs_.closed()) {
      for (auto& job : jobs_.TakeAll(std::chrono::seconds(1))) job();
    }
  }
  rsm::StateMachine& machine_;
  BoundedQueue<std::function<void()>> jobs_{100000};
  std::thread thread_;
};

// `Store` is a storage::StateStore in memory.
template <class Store>
struct TestGroup {
  explicit TestGroup(Duration progress_interval = std::chrono::minutes(10))
      : hub(store.map(), progress_interval) {
    machine.Reload();
    auto started =
        EtcdServer::Start({.client = &client, .map = &store.map(), .version = "test"},
                          {.listen = {"127.0.0.1:0"}, .progress_interval = progress_interval}, hub);
    CHECK(started.ok());
    server = *std::move(started);
    address = "127.0.0.1:" + std::to_string(server->ports()[0]);
  }

  Store store;
  WatchHub hub;
  rsm::ReplicatedState machine{
      store.map(),
      {.published = [](LogIndex, const auto&) {},
       .store_changed = [this](Revision r, const auto& events) { hub.Publish(r, events); },
       .reloaded = [] {}}};
  TestClient client{machine};
  std::unique_ptr<EtcdServer> server;
  std::string address;
};

}  // namespace quorate::api::etcd

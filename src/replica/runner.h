// The threads around the driver: one for the raft core, one each for the log, the state and housekeeping.
#pragma once

#include <atomic>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/bounded_queue.h"
#include "base/clock.h"
#include "replica/driver.h"
#include "replica/lease_gate.h"
#include "replica/replica.h"
#include "replica/state_worker.h"

namespace quorate::replica {

// A client's way of a write, in thread hops: caller -> raft -> log -> raft -> apply -> raft -> callback. The
// log thread merges whatever waits into one write and one sync; the raft thread never waits for disk, state
// or network.
class Runner final : public Client {
 public:
  Runner(const ReplicaOptions& options, const ReplicaParts& parts, Driver driver);
  ~Runner() override;

  // `transport` outlives the threads; Deliver is its handler.
  void Start(transport::PeerTransport& transport, const raft::Configuration& configuration);
  void Deliver(raft::Message message);
  // Blocks until leadership is handed over (bounded) and all callers are answered; joins all threads.
  void Stop();
  ReadGate& gate() { return gate_; }
  void SetDiskLow(bool low) { PostInternal(DiskSeen{low}); }

  void Propose(std::string command, Duration timeout, std::function<void(ProposeOutcome)> done) override;
  using Client::Read;
  void Read(Consistency consistency, Duration timeout, std::function<void(absl::Status)> done) override;
  void TransferLeadership(MemberId to, std::function<void(absl::Status)> done) override;
  void Configure(ConfigurationChange change, Duration timeout,
                 std::function<void(absl::Status)> done) override;
  GroupStatus Status() const override;

 private:
  Now ReadClock() const { return {clock_.Boot(), clock_.Wall()}; }
  bool Post(Event event, size_t bytes = 0);
  void PostInternal(Event event);
  void Wake();
  void SetPeers(const raft::Configuration& configuration);

  void RunRaft();
  std::vector<Event> AwaitEvents();
  void Carry(Actions actions);
  void RefuseRest();
  void RunLog();
  void RunApply();
  void RunHousekeeping();

  const MemberId self_;
  const std::map<MemberId, std::string> addresses_;
  const std::function<void(raft::Dismissal)> on_dismissed_;
  const Clock& clock_;
  storage::LogStore& log_;
  StateWorker state_worker_;
  const rsm::StateMachine& state_machine_;  // apply thread
  rsm::PendingView& view_;                  // raft thread
  transport::PeerTransport* transport_ = nullptr;
  LeaseGate gate_;

  mutable std::mutex driver_mu_;
  Driver driver_;  // guarded by driver_mu_; the raft thread steps it, Status() looks

  std::mutex mu_;
  std::condition_variable ready_;
  std::vector<Event> inbox_;  // guarded by mu_, as are those below
  size_t inbox_bytes_ = 0;
  bool barrier_wanted_ = false;
  bool closed_ = true;
  bool idle_ = false;  // the raft thread waits

  BootTime next_wake_;    // raft thread
  bool stopped_ = false;  // raft thread

  BoundedQueue<LogJob> log_jobs_;
  BoundedQueue<ApplyJob> apply_jobs_;
  BoundedQueue<HousekeepingJob> housekeeping_jobs_;
  // Last: joined first.
  std::jthread log_thread_, apply_thread_, housekeeping_thread_, raft_thread_;
};

}  // namespace quorate::replica

// One simulated machine and the replica on it: the real driver, core, log and state machine; only the
// threads, the clock, the disk and the network are of the simulation.
#pragma once

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "replica/driver.h"
#include "replica/state_worker.h"
#include "rsm/replicated_state.h"
#include "sim/checker.h"
#include "sim/network.h"
#include "sim/options.h"
#include "sim/world.h"
#include "storage/faulty/faulty_file_system.h"
#include "storage/memory/memory_state_store.h"
#include "storage/wal/wal.h"

namespace quorate::sim {

class SimReplica {
 public:
  SimReplica(World& world, Network& network, Checker& checker, const Options& options, MemberId id);
  ~SimReplica();

  // Called whenever the process has died, for whatever reason.
  void OnDeath(std::function<void()> hook) { on_death_ = std::move(hook); }

  void Start();
  bool running() const { return process_ != nullptr; }
  // The process dies; with the power also what was written but not synced goes, in part.
  void Kill();
  void CutPower();
  // The power fails in the middle of one of the next few operations on the disk.
  void CutPowerDuringWrite();
  void Pause(Duration length);  // SIGSTOP, then SIGCONT
  void SlowDisk(Duration length);

  void Propose(std::string command, Duration timeout, std::function<void(replica::ProposeOutcome)> done);
  void Read(Duration timeout, std::function<void(absl::Status)> done);
  void TransferLeadership();

  // While running.
  const raft::Core& core() const;
  const kv::MapReader& map() const;
  std::shared_ptr<const zone::ZoneSet> zones() const;
  LogIndex applied() const;
  uint64_t state_hash() const;

 private:
  class Machine;  // the state machine under the eyes of the checker
  // What dies with the process.
  struct Process {
    std::unique_ptr<storage::LogStore> log;
    std::unique_ptr<storage::MemoryStateStore> state;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<replica::StateWorker> worker;
    std::unique_ptr<replica::Driver> driver;
    std::vector<replica::Event> inbox;
    bool turn_due = false;
    std::deque<replica::LogJob> log_jobs;
    std::deque<replica::ApplyJob> apply_jobs;
    std::deque<replica::HousekeepingJob> housekeeping_jobs;
    bool log_busy = false, apply_busy = false, housekeeping_busy = false;
    BootTime timer;
  };

  replica::Now ReadClock() const;
  void Die(storage::Unsynced unsynced);
  // `what` happens after `delay` of this process's own running; never if the process is gone by then.
  void Later(Duration delay, std::function<void()> what);
  void Post(replica::Event event);
  void Turn();
  void Carry(replica::Actions actions);
  void SetTimer();
  void StartLogJobs();
  void WriteLog(std::vector<storage::LogWrite> batch);
  void StartApplyJob();
  void StartHousekeepingJob();
  Duration DiskTime();

  World& world_;
  Network& network_;
  Checker& checker_;
  const Options& options_;
  const MemberId id_;
  const Duration boot_offset_;  // machines were not started together
  replica::CompactionLimits compaction_;
  size_t segment_bytes_;

  storage::FaultyFileSystem disk_;
  storage::PersistentMap state_image_;  // what the state store keeps
  std::function<void()> on_death_;
  uint64_t incarnation_ = 0;
  Duration paused_until_{0}, disk_slow_until_{0};
  bool power_cut_armed_ = false;
  std::unique_ptr<Process> process_;
};

}  // namespace quorate::sim

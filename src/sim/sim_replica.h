// One simulated machine and the replica on it: the real driver, core, log and state machine; only the
// threads, the clock, the disk and the network are of the simulation.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "replica/driver.h"
#include "replica/lease_gate.h"
#include "replica/recovery.h"
#include "replica/state_worker.h"
#include "sim/checker.h"
#include "sim/machine.h"
#include "sim/machine_clock.h"
#include "sim/network.h"
#include "sim/options.h"
#include "sim/reader.h"
#include "sim/shape.h"
#include "sim/world.h"
#include "storage/faulty/faulty_file_system.h"
#include "storage/memory/memory_state_store.h"
#include "storage/wal/wal.h"

namespace quorate::sim {

// Where a process may die next.
enum class CrashPoint : uint8_t { kLogWrite, kCompaction, kStateFlush, kSnapshotChunk, kSnapshotInstall };
inline constexpr uint64_t kCrashPoints = 5;

// What a machine is before its first start.
struct Installation {
  raft::Configuration bootstrap;                 // empty: it waits to be told of the group
  uint64_t feature_level = raft::kFeatureLevel;  // 1: a program from before instances
  uint64_t instance = 0;                         // of its data directory, once its program knows of that
};

// sim_replica.cc: life, death, callers, the raft thread; sim_threads.cc: the log's, apply's and
// housekeeping's.
class SimReplica {
 public:
  SimReplica(World& world, Network& network, Checker& checker, const Shape& shape, const Options& options,
             MemberId id, Installation installation);
  ~SimReplica();

  // Called whenever the process has died, for whatever reason.
  void OnDeath(std::function<void()> hook) { on_death_ = std::move(hook); }

  void Start();
  bool running() const { return process_ != nullptr; }
  // Its log is damaged: it must not come back as it is.
  bool lost() const { return lost_; }
  // Its data directory was replaced by an empty one that says nothing of the old one: it must not come back.
  bool wiped() const { return wiped_; }
  // The group turned it away: its process ended for good.
  bool dismissed() const { return dismissed_; }
  bool gone() const { return lost_ || dismissed_; }
  // Whether the entry is in its log on disk, or its state.
  bool HasOnDisk(LogIndex index, Term term) const;
  uint64_t instance() const { return feature_level_ < 2 ? 0 : instance_; }
  uint64_t repairs() const { return repairs_; }
  uint64_t feature_level() const { return feature_level_; }
  MemberId id() const { return id_; }
  MachineClock& clock() { return clock_; }

  // While running.
  void Kill();
  void Stop();      // in good order: it says goodbye
  void CutPower();  // with it what was written but not synced goes, in part
  void CutPowerDuringWrite();
  void CrashAt(CrashPoint point);
  void Pause(Duration length);  // SIGSTOP, then SIGCONT
  void FailDisk();              // one of its next operations fails
  void RotAndKill();            // a bit of the log flips; noticed when it is read again
  void SwitchOff();             // for good
  // Whether it runs or not; it comes back as any that died.
  void Empty(uint64_t new_instance, bool repairs);  // the data is gone; `repairs`: but not who it was
  void Upgrade();                                   // to the latest program
  void Forgive() { dismissed_ = false; }            // somebody starts it again
  // At any time.
  void SlowDisk(Duration length) { disk_slow_until_ = world_.now() + length; }
  void StallDisk(Duration length) { disk_stalled_until_ = world_.now() + length; }
  void FillDisk();
  void FreeDisk();
  void RepairDisk();  // room again, no delay, and the power stays on
  void OnClockChange();
  void SetReaderPauses(uint64_t permille) { reader_pauses_permille_ = permille; }

  void Propose(std::string command, Duration timeout, std::function<void(replica::ProposeOutcome)> done);
  void Read(Duration timeout, std::function<void(absl::Status)> done);
  void Ask(ReadCallOf call);  // a reader thread
  void TransferLeadership();
  void Configure(
      replica::ConfigurationChange change,
      std::function<void(const absl::Status&)> done = [](const absl::Status&) {});

  // While running.
  const raft::Core& core() const;
  const kv::MapReader& map() const;
  std::shared_ptr<const zone::ZoneSet> zones() const;
  LogIndex applied() const;
  bool holds_lease() const { return process_->gate->HoldsLease(clock_.Boot()); }
  uint64_t state_hash() const;
  size_t open_reads() const { return process_->reader->open(); }

 private:
  // What dies with the process.
  struct Process {
    std::unique_ptr<storage::LogStore> log;
    std::unique_ptr<storage::MemoryStateStore> state;
    std::unique_ptr<Machine> machine;
    std::unique_ptr<replica::StateWorker> worker;
    std::unique_ptr<replica::Driver> driver;
    std::unique_ptr<replica::LeaseGate> gate;
    std::unique_ptr<Reader> reader;
    std::vector<replica::Event> inbox;
    bool turn_due = false;
    std::deque<replica::LogJob> log_jobs;
    std::deque<replica::ApplyJob> apply_jobs;
    std::deque<replica::HousekeepingJob> housekeeping_jobs;
    bool log_busy = false, apply_busy = false, housekeeping_busy = false;
    uint64_t timer = 0;
    std::map<MemberId, LogIndex> sending;  // snapshots, to whom and as of when
  };

  replica::Now ReadClock() const { return {clock_.Boot(), clock_.Wall()}; }
  absl::StatusOr<replica::Recovered> Recover();
  void MakeThreads(replica::Recovered recovered);
  void OnRefusedStart(const absl::Status& why);
  void Die(bool power);
  void FailStop(const absl::Status& why);
  // `what` happens after `delay` of this process's own running; never if the process is gone by then.
  void Later(Duration delay, std::function<void()> what);
  void Post(replica::Event event);
  void Turn();
  void SoonTurn();
  void Carry(replica::Actions actions);
  void SetTimer();
  void CheckDurable();
  void NoteSnapshotEnd(const replica::Event& event);
  void CheckSnapshots(const replica::Actions& actions);

  Duration DiskTime();
  void StartLogJobs();
  void StartLogWrites();
  void StartCompaction();
  void FinishLogJob(replica::Event event);
  void WriteLog(const std::vector<storage::LogWrite>& batch);
  void StartApplyJob();
  void StartHousekeepingJob();
  // True: this is where it was to die, and did.
  bool CrashHere(CrashPoint point);
  void CrashDuring(CrashPoint point, uint64_t operations);

  World& world_;
  Network& network_;
  Checker& checker_;
  const Shape& shape_;
  const Options& options_;
  const MemberId id_;
  MachineClock clock_;
  replica::CompactionLimits compaction_;
  size_t segment_bytes_;

  std::unique_ptr<storage::FaultyFileSystem> disk_;
  storage::PersistentMap state_image_;  // what the state store keeps
  std::map<LogIndex, Term> on_disk_;    // what the log has, and perhaps what was cut off at its beginning
  LogIndex log_base_;
  bool log_begun_ = false;  // the data directory says so
  bool lost_ = false, rotten_ = false, wiped_ = false, dismissed_ = false;
  const raft::Configuration bootstrap_;
  uint64_t feature_level_, instance_, repairs_ = 0;
  std::function<void()> on_death_;
  uint64_t incarnation_ = 0;  // of this start; the data directory keeps it
  uint64_t life_ = 0;         // changes when the process starts, and when it dies
  Duration paused_until_{0}, disk_slow_until_{0}, disk_stalled_until_{0};
  bool disk_fault_armed_ = false, disk_full_ = false;
  std::optional<CrashPoint> crash_at_;
  uint64_t starting_dies_percent_ = 5;
  uint64_t reader_pauses_permille_ = 0;
  std::unique_ptr<Process> process_;
};

}  // namespace quorate::sim

// What the log, apply and housekeeping threads of a simulated replica do, and where they die.
#include <utility>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "sim/sim_replica.h"

namespace quorate::sim {
namespace {

using std::chrono::microseconds;
using std::chrono::milliseconds;

}  // namespace

bool SimReplica::CrashHere(CrashPoint point) {
  if (crash_at_ != point) return false;
  SIM_PROBE("sim.crash.state-flush", point == CrashPoint::kStateFlush);
  SIM_PROBE("sim.crash.snapshot-chunk", point == CrashPoint::kSnapshotChunk);
  SIM_PROBE("sim.crash.snapshot-install", point == CrashPoint::kSnapshotInstall);
  Die(/*power=*/world_.rng().Chance(1, 2));
  return true;
}

void SimReplica::CrashDuring(CrashPoint point, uint64_t operations) {
  if (crash_at_ != point) return;
  SIM_PROBE("sim.crash.log-write", point == CrashPoint::kLogWrite);
  SIM_PROBE("sim.crash.compaction", point == CrashPoint::kCompaction);
  disk_->FailAt(disk_->operations() + 1 + world_.rng().Below(operations), storage::DiskFault::kPowerCut);
  disk_fault_armed_ = true;
}

// --- log ---

Duration SimReplica::DiskTime() {
  if (world_.now() < disk_stalled_until_) return disk_stalled_until_ - world_.now() + milliseconds(1);
  if (world_.now() < disk_slow_until_) return world_.Between(milliseconds(20), milliseconds(400));
  return world_.Between(microseconds(200), milliseconds(4));
}

void SimReplica::StartLogJobs() {
  if (!process_ || process_->log_busy || process_->log_jobs.empty()) return;
  process_->log_busy = true;
  if (std::holds_alternative<raft::SnapshotMeta>(process_->log_jobs.front().work)) {
    StartCompaction();
  } else {
    StartLogWrites();
  }
}

void SimReplica::FinishLogJob(replica::Event event) {
  process_->log_busy = false;
  Post(std::move(event));
  StartLogJobs();
}

void SimReplica::StartCompaction() {
  const auto base = std::get<raft::SnapshotMeta>(process_->log_jobs.front().work);
  process_->log_jobs.pop_front();
  Later(DiskTime(), [this, base] {
    CrashDuring(CrashPoint::kCompaction, 4);
    if (const absl::Status status = process_->log->Compact(base); !status.ok()) return FailStop(status);
    world_.Note(id_.value, "log compacted through", base.last_index.value);
    FinishLogJob(replica::LogCompacted{base.last_index});
  });
}

void SimReplica::StartLogWrites() {
  Process& p = *process_;
  std::vector<storage::LogWrite> batch;
  uint64_t last = 0;
  for (; !p.log_jobs.empty() && std::holds_alternative<storage::LogWrite>(p.log_jobs.front().work);
       p.log_jobs.pop_front()) {
    batch.push_back(std::get<storage::LogWrite>(std::move(p.log_jobs.front().work)));
    last = p.log_jobs.front().id;
  }
  const Duration time = DiskTime();
  if (SIM_MUTANT("ack-before-sync")) {
    Post(replica::LogWritten{last});
    return Later(time, [this, batch = std::move(batch)] {
      WriteLog(batch);
      if (process_) process_->log_busy = false;
      StartLogJobs();
    });
  }
  // It may be on the disk long before the thread hears of it, or just before.
  const bool early = world_.rng().Chance(1, 2);
  if (early) WriteLog(batch);
  if (!process_) return;
  if (early) batch.clear();
  Later(time, [this, early, batch = std::move(batch), last] {
    if (!early) WriteLog(batch);
    if (process_) FinishLogJob(replica::LogWritten{last});
  });
}

void SimReplica::WriteLog(const std::vector<storage::LogWrite>& batch) {
  CrashDuring(CrashPoint::kLogWrite, 2);
  const absl::Status status = process_->log->Write(batch);
  if (!status.ok() && !(SIM_MUTANT("fsync-error-ignored") && disk_->has_power())) return FailStop(status);
  for (const storage::LogWrite& write : batch) {
    if (write.install && !write.keep_log_suffix) on_disk_.clear();
    if (write.install) log_base_ = write.install->last_index;
    if (write.append.empty()) continue;
    on_disk_.erase(on_disk_.lower_bound(write.append.front().index), on_disk_.end());
    for (const raft::LogEntry& entry : write.append) on_disk_[entry.index] = entry.term;
  }
}

// --- apply ---

void SimReplica::StartApplyJob() {
  if (process_->apply_busy || process_->apply_jobs.empty()) return;
  process_->apply_busy = true;
  const bool heavy = world_.rng().Chance(1, 200);
  const Duration time = heavy ? world_.Between(milliseconds(1), milliseconds(300))
                              : world_.Between(microseconds(5), microseconds(300));
  Later(time, [this] {
    const replica::ApplyJob job = std::move(process_->apply_jobs.front());
    process_->apply_jobs.pop_front();
    const bool installs = std::holds_alternative<replica::InstallSnapshot>(job);
    if (installs && world_.rng().Chance(1, 2) && CrashHere(CrashPoint::kSnapshotInstall)) return;
    auto event = process_->worker->Run(job);
    if (!event.ok()) return world_.Fail("fail-stop", event.status().ToString());
    if (const auto* installed = std::get_if<replica::SnapshotInstalled>(&*event)) {
      checker_.OnSnapshotInstalled();
      world_.Note(id_.value, "snapshot installed", installed->index.value);
    }
    if (installs && CrashHere(CrashPoint::kSnapshotInstall)) return;
    if (installs && SIM_MUTANT("snapshot-without-sessions")) process_->machine->ForgetSessions();
    process_->gate->SetApplied(process_->machine->applied_index());
    process_->apply_busy = false;
    Post(*std::move(event));
    StartApplyJob();
  });
}

// --- housekeeping ---

void SimReplica::StartHousekeepingJob() {
  if (process_->housekeeping_busy || process_->housekeeping_jobs.empty()) return;
  process_->housekeeping_busy = true;
  Later(world_.Between(microseconds(20), milliseconds(3)), [this] {
    const replica::HousekeepingJob job = std::move(process_->housekeeping_jobs.front());
    process_->housekeeping_jobs.pop_front();
    const std::optional<CrashPoint> point =
        std::holds_alternative<replica::FlushState>(job)      ? std::optional(CrashPoint::kStateFlush)
        : std::holds_alternative<replica::WriteSnapshot>(job) ? std::optional(CrashPoint::kSnapshotChunk)
                                                              : std::nullopt;
    if (point && world_.rng().Chance(1, 2) && CrashHere(*point)) return;
    auto event = process_->worker->Run(job);
    if (!event.ok()) return world_.Fail("fail-stop", event.status().ToString());
    if (point && CrashHere(*point)) return;
    process_->housekeeping_busy = false;
    if (event->has_value()) Post(**std::move(event));
    StartHousekeepingJob();
  });
}

}  // namespace quorate::sim

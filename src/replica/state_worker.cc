#include "replica/state_worker.h"

#include <utility>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "base/status_macros.h"

namespace quorate::replica {

absl::StatusOr<Event> StateWorker::Run(const ApplyJob& job) {
  return std::visit([this](const auto& item) { return Do(item); }, job);
}

absl::StatusOr<std::optional<Event>> StateWorker::Run(const HousekeepingJob& job) {
  return std::visit([this](const auto& item) { return Do(item); }, job);
}

absl::StatusOr<Event> StateWorker::Do(const ApplyEntries& job) {
  EntriesApplied applied;
  applied.entries.reserve(job.entries.size());
  for (const raft::LogEntry& entry : job.entries) {
    if (entry.type == raft::EntryType::kConfiguration)
      state_.map().Write({{std::string(kConfigurationKey), *entry.payload}});
    const bool is_command = entry.type == raft::EntryType::kCommand;
    const std::string_view payload = is_command && entry.payload ? *entry.payload : std::string_view();
    applied.entries.push_back(
        {entry.index, entry.term, machine_.Apply({entry.index, entry.term, is_command, payload})});
    CHECK_EQ(machine_.applied_index(), entry.index);
  }
  applied.state_hash = machine_.state_hash();
  return applied;
}

absl::StatusOr<Event> StateWorker::Do(const TakeSnapshot& job) {
  auto source = state_.TakeSnapshot();
  std::lock_guard lock(mu_);
  sources_[job.snapshot_id] = std::move(source);
  return SnapshotTaken{job.snapshot_id, machine_.applied_index(), machine_.applied_term()};
}

absl::StatusOr<Event> StateWorker::Do(const InstallSnapshot& job) {
  std::unique_ptr<storage::SnapshotSink> sink;
  {
    std::lock_guard lock(mu_);
    auto found = sinks_.find(job.restore_id);
    CHECK(found != sinks_.end());
    sink = std::move(found->second);
    sinks_.erase(found);
  }
  RETURN_IF_ERROR(sink->Commit());
  sink.reset();
  machine_.Reload();
  CHECK_EQ(machine_.applied_index(), job.meta.last_index);
  CHECK_EQ(machine_.applied_term(), job.meta.last_term);
  return SnapshotInstalled{job.meta.last_index, machine_.group_time(), machine_.state_hash()};
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const FlushState&) {
  if (!SIM_MUTANT("compact-without-flush")) RETURN_IF_ERROR(state_.Flush());
  return StateFlushed{};
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const ReadSnapshot& job) {
  storage::SnapshotSource* source = nullptr;
  {
    std::lock_guard lock(mu_);
    if (auto found = sources_.find(job.snapshot_id); found != sources_.end()) source = found->second.get();
  }
  if (!source) return std::nullopt;
  return SnapshotRead{job.snapshot_id, job.offset, source->Read(job.offset, chunk_bytes_)};
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const DropSnapshot& job) {
  std::lock_guard lock(mu_);
  sources_.erase(job.snapshot_id);
  return std::nullopt;
}

absl::Status StateWorker::WriteChunk(const WriteSnapshot& job) {
  storage::SnapshotSink* sink = nullptr;
  if (job.offset == 0) {
    ASSIGN_OR_RETURN(auto begun, state_.BeginRestore());
    sink = begun.get();
    std::lock_guard lock(mu_);
    sinks_[job.restore_id] = std::move(begun);
  } else {
    sink = FindSink(job.restore_id);
    if (!sink) return absl::NotFoundError("no such restore");
  }
  return sink->Write(*job.data);
}

storage::SnapshotSink* StateWorker::FindSink(uint64_t restore_id) {
  std::lock_guard lock(mu_);
  const auto found = sinks_.find(restore_id);
  return found == sinks_.end() ? nullptr : found->second.get();
}

// Beside the state, which stays as it is: what is wrong here must not be found out after the state has gone.
absl::Status StateWorker::Verify(const VerifySnapshot& job) {
  storage::SnapshotSink* sink = FindSink(job.restore_id);
  if (!sink) return absl::NotFoundError("no such restore");
  ASSIGN_OR_RETURN(const kv::MapReader* const map, sink->Verify());
  const auto found = machine_.AppliedIn(*map);
  if (!found || found->index != job.meta.last_index || found->term != job.meta.last_term)
    return absl::DataLossError("the snapshot received is not of the index that its sender named");
  return absl::OkStatus();
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const VerifySnapshot& job) {
  return SnapshotVerified{job.restore_id, Verify(job)};
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const WriteSnapshot& job) {
  return SnapshotWritten{job.restore_id, WriteChunk(job)};
}

absl::StatusOr<std::optional<Event>> StateWorker::Do(const DropRestore& job) {
  std::lock_guard lock(mu_);
  sinks_.erase(job.restore_id);
  return std::nullopt;
}

}  // namespace quorate::replica

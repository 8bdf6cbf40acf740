// Carries out the jobs that touch the applied state: the same code under the runner's threads and in the
// simulator.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>

#include "absl/status/statusor.h"
#include "base/limits.h"
#include "replica/events.h"
#include "rsm/api.h"
#include "storage/api.h"

namespace quorate::replica {

// The replica's own key in the map: the configuration as of the applied index, so that a snapshot tells it
// too and a log can begin again where the state is. Its value is raft::EncodeConfiguration.
inline constexpr std::string_view kConfigurationKey = "Rconfiguration";

class StateWorker {
 public:
  StateWorker(storage::StateStore& state, rsm::StateMachine& machine,
              size_t chunk_bytes = limits::kSnapshotChunkBytes)
      : state_(state), machine_(machine), chunk_bytes_(chunk_bytes) {}

  // An error of either cannot be answered: the replica must stop.
  // The apply thread.
  absl::StatusOr<Event> Run(const ApplyJob& job);
  // The housekeeping thread. nullopt: nothing to report.
  absl::StatusOr<std::optional<Event>> Run(const HousekeepingJob& job);

 private:
  absl::StatusOr<Event> Do(const ApplyEntries& job);
  absl::StatusOr<Event> Do(const TakeSnapshot& job);
  absl::StatusOr<Event> Do(const InstallSnapshot& job);
  absl::StatusOr<std::optional<Event>> Do(const FlushState& job);
  absl::StatusOr<std::optional<Event>> Do(const ReadSnapshot& job);
  absl::StatusOr<std::optional<Event>> Do(const DropSnapshot& job);
  absl::StatusOr<std::optional<Event>> Do(const WriteSnapshot& job);
  absl::StatusOr<std::optional<Event>> Do(const VerifySnapshot& job);
  absl::StatusOr<std::optional<Event>> Do(const DropRestore& job);
  absl::Status WriteChunk(const WriteSnapshot& job);
  absl::Status Verify(const VerifySnapshot& job);
  storage::SnapshotSink* FindSink(uint64_t restore_id);

  storage::StateStore& state_;
  rsm::StateMachine& machine_;
  const size_t chunk_bytes_;  // of a snapshot sent
  // What one thread begins the other ends; in between only one of them has it.
  std::mutex mu_;
  std::map<uint64_t, std::unique_ptr<storage::SnapshotSource>> sources_;  // guarded by mu_
  std::map<uint64_t, std::unique_ptr<storage::SnapshotSink>> sinks_;      // guarded by mu_
};

}  // namespace quorate::replica

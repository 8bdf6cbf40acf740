// What a replica finds on its disk when it starts, made consistent.
#pragma once

#include "absl/status/statusor.h"
#include "raft/core.h"
#include "replica/driver.h"
#include "rsm/api.h"
#include "storage/api.h"

namespace quorate::replica {

struct Recovered {
  raft::Restored restored;
  StateAt state;
  bool torn_tail = false;  // of the log: a last write that was never acknowledged
};

// Recovers the log, reloads the state machine over the state store, and brings both together:
// - A new replica keeps `bootstrap` as its configuration, durably (kConfigurationKey): from then on that one
// counts.
// - The state may be ahead of the log: the crash came between the two halves of a snapshot's installation, or
// the state
//   was flushed before the log was synced. All of it is committed, so the log begins again at the state.
// - A state behind the log's beginning is kDataLoss, as is a damaged log: this replica must not take part.
// Blocks. Before any thread of the replica runs.
absl::StatusOr<Recovered> Recover(storage::LogStore& log, storage::StateStore& state,
                                  rsm::StateMachine& machine, const raft::Configuration& bootstrap);

}  // namespace quorate::replica

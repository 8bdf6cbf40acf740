#include "replica/recovery.h"

#include <array>
#include <optional>
#include <string>
#include <utility>

#include "base/sim_hooks.h"
#include "base/status_macros.h"
#include "raft/codec.h"
#include "replica/state_worker.h"

namespace quorate::replica {
namespace {

std::optional<Term> TermAt(const storage::RecoveredLog& log, LogIndex index) {
  if (index < log.base.last_index) return std::nullopt;
  if (index == log.base.last_index) return log.base.last_term;
  const uint64_t offset = index - log.base.last_index - 1;
  if (offset >= log.entries.size()) return std::nullopt;
  return log.entries[offset].term;
}

absl::StatusOr<raft::Configuration> Decode(std::string_view bytes) {
  auto configuration = raft::DecodeConfiguration(bytes);
  if (!configuration && raft::IsNewerConfiguration(bytes))
    return absl::FailedPreconditionError("a newer program wrote this group's configuration: run that one");
  if (!configuration) return absl::DataLossError("a configuration on disk does not decode");
  return *std::move(configuration);
}

// As of `index`, by the log.
absl::StatusOr<raft::Configuration> ConfigurationAt(const storage::RecoveredLog& log, LogIndex index) {
  raft::Configuration configuration = log.base.configuration;
  for (const raft::LogEntry& entry : log.entries) {
    if (entry.index > index) break;
    if (entry.type != raft::EntryType::kConfiguration || !entry.payload) continue;
    ASSIGN_OR_RETURN(configuration, Decode(*entry.payload));
  }
  return configuration;
}

absl::Status BeginAt(storage::LogStore& store, raft::SnapshotMeta base, storage::RecoveredLog& log) {
  log.base = std::move(base);
  log.entries.clear();
  if (log.hard_state.current_term < log.base.last_term)
    log.hard_state = {log.base.last_term,
                      MemberId{}};  // of that term we have not voted: a vote is durable first
  const std::array writes{storage::LogWrite{.install = log.base, .hard_state = log.hard_state}};
  return store.Write(writes);
}

}  // namespace

absl::StatusOr<Recovered> Recover(storage::LogStore& store, storage::StateStore& state,
                                  rsm::StateMachine& machine, const raft::Configuration& bootstrap) {
  ASSIGN_OR_RETURN(storage::RecoveredLog log, store.Recover());
  machine.Reload();
  const LogIndex applied = machine.applied_index();
  const Term applied_term = machine.applied_term();
  auto stored = state.map().Get(kConfigurationKey);

  if (log.base.configuration.members.empty()) {  // nothing was ever installed or compacted
    if (!stored) {
      stored = raft::EncodeConfiguration(bootstrap);
      state.map().Write({{std::string(kConfigurationKey), *stored}});
      RETURN_IF_ERROR(state.Flush());
    }
    ASSIGN_OR_RETURN(log.base.configuration, Decode(*stored));
  }
  if (applied < log.base.last_index) {
    return absl::DataLossError("the state ends at entry " + std::to_string(applied.value) +
                               ", but the log begins after entry " +
                               std::to_string(log.base.last_index.value));
  } else if (TermAt(log, applied) != applied_term) {
    if (applied == log.base.last_index)
      return absl::DataLossError("the state and the log disagree on the term of entry " +
                                 std::to_string(applied.value));
    if (!stored)
      return absl::DataLossError("the state ends after the log and does not say who its members are");
    ASSIGN_OR_RETURN(raft::Configuration configuration, Decode(*stored));
    SIM_PROBE("replica.state-ahead-of-the-log", true);
    RETURN_IF_ERROR(BeginAt(store, {applied, applied_term, std::move(configuration)}, log));
  }

  ASSIGN_OR_RETURN(const raft::Configuration configuration, ConfigurationAt(log, applied));
  if (std::string bytes = raft::EncodeConfiguration(configuration); stored != bytes)
    state.map().Write({{std::string(kConfigurationKey), std::move(bytes)}});
  return Recovered{{log.hard_state, std::move(log.base), std::move(log.entries), applied},
                   {applied, applied_term, machine.group_time(), machine.state_hash()},
                   log.torn_tail};
}

}  // namespace quorate::replica

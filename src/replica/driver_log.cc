// What the driver does with the log: writes and what waits for them, what readers learn of it, when it is
// cut.
#include <algorithm>
#include <utility>

#include "base/sim_hooks.h"
#include "replica/driver.h"

namespace quorate::replica {
namespace {

constexpr Duration kHeldFor = std::chrono::seconds(5);  // what a member wants, since it last answered in time
constexpr Duration kCompactAgainAfter = std::chrono::seconds(1);
constexpr Duration kLookAgainAfter = std::chrono::milliseconds(20);  // whether the log may be cut by now

}  // namespace

// --- writes ---

void Driver::Write(raft::Effects& effects) {
  if (!effects.hard_state && effects.append.empty() && !effects.install) {
    // What they promise may still be on its way to the disk.
    auto& to = pending_writes_.empty() ? actions_.send : pending_writes_.back().messages;
    std::move(effects.send_after_durable.begin(), effects.send_after_durable.end(), std::back_inserter(to));
    return;
  }
  PendingWrite pending{.id = ++last_job_,
                       .durable = effects.when_durable,
                       .install = effects.install.has_value(),
                       .messages = std::move(effects.send_after_durable)};
  if (effects.install) {
    receiver_.Install(*effects.install, actions_);
    state_pending_ = true;
    if (effects.keep_log_suffix) {
      log_sizes_.CutThrough(effects.install->last_index);
    } else {
      log_sizes_.Restart(effects.install->last_index);
    }
  }
  PublishPending(effects);
  // A suffix that was dropped may have held one, too.
  bool reconfigured = effects.install.has_value() || published_configuration_ != core_.configuration_index();
  for (const raft::LogEntry& entry : effects.append) {
    clock_.SawEntry(entry);
    reconfigured |= entry.type == raft::EntryType::kConfiguration;
  }
  log_sizes_.Append(effects.append);
  if (reconfigured) {
    published_configuration_ = core_.configuration_index();
    actions_.configuration = core_.GetStatus().configuration;
    CheckFeatureLevel(*actions_.configuration);
    SetReadTimes();
  }
  pending_writes_.push_back(std::move(pending));
  LogJob job{last_job_, storage::LogWrite{std::move(effects.install), effects.keep_log_suffix,
                                          effects.hard_state, std::move(effects.append)}};
  SIM_PROBE("replica.log-waits-for-the-snapshots-state", state_pending_);
  const bool wait = state_pending_ && !SIM_MUTANT("log-before-the-snapshots-state");
  (wait ? held_jobs_ : actions_.log).push_back(std::move(job));
}

// What the group does from now on this program may not understand.
void Driver::CheckFeatureLevel(const raft::Configuration& now) {
  if (now.feature_level > config_.core.feature_level && !stop_deadline_)
    OnDismissed(raft::Dismissal::kTooOld);
}

// Before the message leaves that acknowledges them, and before any lease that covers them: Actions keeps the
// order.
void Driver::PublishPending(const raft::Effects& effects) {
  if (effects.install) {
    // In this order: a reader that checked its lease long ago must not find the old state with nothing
    // pending.
    const LogIndex last = effects.install->last_index;
    actions_.pending.push_back(InstallPending{last});
    if (!effects.keep_log_suffix) {
      actions_.pending.push_back(TruncatePending{last + 1});
      published_last_ = last;
    }
    published_last_ = std::max(published_last_, last);
  }
  if (!effects.append.empty()) {
    if (effects.append.front().index <= published_last_)
      actions_.pending.push_back(TruncatePending{effects.append.front().index});
    actions_.pending.push_back(AppendPending{effects.append});
    published_last_ = effects.append.back().index;
  }
  if (effects.install || !effects.append.empty()) actions_.log_last = published_last_;
}

void Driver::On(LogWritten event) {
  std::vector<PendingWrite> written;
  while (!pending_writes_.empty() && pending_writes_.front().id <= event.id) {
    written.push_back(std::move(pending_writes_.front()));
    pending_writes_.pop_front();
  }
  for (PendingWrite& write : written) {
    std::move(write.messages.begin(), write.messages.end(), std::back_inserter(actions_.send));
    if (write.install) receiver_.Installed(core_.term(), actions_);
    if (write.durable) Step(*write.durable);
  }
}

void Driver::On(LogCompacted event) {
  compacting_ = Compacting::kNo;
  log_sizes_.CutThrough(event.through);
  Step(raft::Compacted{event.through});
  sender_.OnLogCut(now_.boot, event.through, actions_);
}

// --- compaction ---

LogIndex Driver::MayCutThrough() {
  const raft::Status status = core_.GetStatus();
  LogIndex cut = std::min({log_sizes_.Target(config_.compaction), applied_, status.durable});
  if (log_sizes_.HeldTooLong(config_.compaction) || SIM_MUTANT("compaction-past-an-unsent-snapshot"))
    return cut;
  if (const auto pinned = sender_.pinned()) cut = std::min(cut, *pinned);
  for (const raft::PeerStatus& peer : status.peers) {
    if (peer.recent) heard_[peer.id] = now_.boot;
    const auto heard = heard_.find(peer.id);
    const bool lives = heard != heard_.end() && now_.boot < heard->second + kHeldFor;
    if (!lives || peer.state == raft::PeerStatus::State::kSnapshot) continue;
    // Of one that has just installed a snapshot nothing is known to match yet.
    const bool probed = peer.state == raft::PeerStatus::State::kProbe && peer.next > LogIndex{};
    const LogIndex has = probed ? std::max(peer.match, peer.next - 1) : peer.match;
    if (has >= log_sizes_.base()) cut = std::min(cut, has);
  }
  return cut;
}

void Driver::MaybeCompact() {
  if (compacting_ != Compacting::kNo || now_.boot < compact_not_before_) return;
  if (!log_sizes_.TooLong(config_.compaction)) return;
  if (MayCutThrough() <= log_sizes_.base()) {
    compact_not_before_ = now_.boot + kLookAgainAfter;
    return;
  }
  compacting_ = Compacting::kFlushing;
  flushing_ = applied_;
  compact_not_before_ = now_.boot + kCompactAgainAfter;
  actions_.housekeeping.push_back(FlushState{});
}

void Driver::On(StateFlushed) {
  compacting_ = Compacting::kNo;
  if (receiver_.installing()) return;
  const LogIndex cut = std::min(MayCutThrough(), flushing_);
  const auto term = core_.TermAt(cut);
  if (cut <= log_sizes_.base() || !term) return;
  compacting_ = Compacting::kCutting;
  actions_.log.push_back({++last_job_, raft::SnapshotMeta{cut, *term, core_.ConfigurationAt(cut)}});
}

}  // namespace quorate::replica

#include "replica/driver.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/overloaded.h"
#include "base/rng.h"
#include "base/sim_hooks.h"
#include "replica/merge_replies.h"

namespace quorate::replica {
namespace {

constexpr Duration kCanReadFor = std::chrono::seconds(1);

// Ids of this life of the process: far from those of another seed, below what the codec refuses, never 0.
uint64_t FirstId(uint64_t seed) { return ((Rng(seed ^ 0x6964735f).Next() >> 8) << 4) + 1; }

CompactionLimits WithDefaults(CompactionLimits limits) {
  if (limits.bytes_max == 0) limits.bytes_max = limits::kLogCompactBytes;
  if (limits.entries_max == 0) limits.entries_max = 2 * limits::kLogKeepEntries;
  if (limits.bytes_keep == 0) limits.bytes_keep = limits.bytes_max / 2;
  if (limits.entries_keep == 0) limits.entries_keep = limits.entries_max / 2;
  if (limits.bytes_held == 0) limits.bytes_held = limits::kLogHeldFactor * limits.bytes_max;
  if (limits.entries_held == 0) limits.entries_held = limits::kLogHeldEntriesFactor * limits.entries_max;
  return limits;
}

DriverConfig WithDefaults(DriverConfig config) {
  config.compaction = WithDefaults(config.compaction);
  return config;
}

}  // namespace

Driver::Driver(const DriverConfig& config, raft::Restored restored, const StateAt& state, const Now& now)
    : config_(WithDefaults(config)),
      now_(now),
      core_(config.core, restored, now.boot),
      proposals_(config.core.self, FirstId(config.core.seed)),
      reads_(FirstId(config.core.seed), config.core.election_timeout_min, config.core.heartbeat_interval / 2),
      sender_(config.core.self, FirstId(config.core.seed), config.snapshots),
      receiver_(config.core.self),
      applied_(state.index),
      state_hash_(state.hash),
      log_sizes_(restored.base.last_index) {
  clock_.Saw(state.group_time);
  for (const raft::LogEntry& entry : restored.entries) clock_.SawEntry(entry);
  log_sizes_.Append(restored.entries);
  proposals_.SetApplied(applied_);
  // What came from the disk and is not applied is pending: it may be committed already.
  std::erase_if(restored.entries, [&](const raft::LogEntry& e) { return e.index <= applied_; });
  published_last_ = std::max(applied_, core_.GetStatus().last);
  published_configuration_ = core_.configuration_index();
  CheckFeatureLevel(core_.GetStatus().configuration);
  actions_.log_last = published_last_;
  if (!restored.entries.empty()) actions_.pending.push_back(AppendPending{std::move(restored.entries)});
  FollowRole();
}

void Driver::Handle(const Now& now, Event event) {
  now_ = now;
  std::visit([this](auto&& item) { On(std::move(item)); }, std::move(event));
  ReportSnapshots();
}

Actions Driver::Collect(const Now& now) {
  now_ = now;
  if (now.boot >= core_.NextTick()) Step(raft::Tick{});
  proposals_.Expire(now.boot, actions_);
  reads_.Expire(now.boot, core_.leader() != MemberId{}, actions_);
  sender_.Expire(now.boot, core_.term(), actions_);
  receiver_.Expire(now.boot, actions_);
  ReportSnapshots();
  ProposeHeld();
  StartReads();
  MaybeCompact();
  CheckTransfer();
  YieldToRoom();
  configure_.Check(now.boot, core_, actions_);
  CheckStop();
  PublishLease();
  MergeReplies(actions_.send);
  return std::exchange(actions_, {});
}

BootTime Driver::NextWake() const {
  BootTime next = std::min({core_.NextTick(), proposals_.NextDeadline(), reads_.NextDeadline(),
                            sender_.NextDeadline(), receiver_.NextDeadline()});
  if (proposals_.HasHeld() && hold_until_ > now_.boot) next = std::min(next, hold_until_);
  next = std::min(next, configure_.NextDeadline());
  if (config_.probe_interval.count() > 0) next = std::min(next, next_probe_);
  if (transfer_) next = std::min(next, transfer_->deadline);
  if (stop_deadline_ && !stopped_) next = std::min(next, *stop_deadline_);
  return next;
}

GroupStatus Driver::Status(BootTime now) const {
  const auto read = reads_.last_success();
  return {.raft = core_.GetStatus(),
          .group = config_.group,
          .state_hash = state_hash_,
          .state_hash_at = applied_,
          .can_read = now < core_.lease_until() || (read && now - *read <= kCanReadFor),
          .read_rounds = reads_.rounds(),
          .group_time = clock_.Logged(),
          .snapshots_sent = sender_.counts(),
          .snapshots_received = receiver_.counts()};
}

// --- messages ---

void Driver::On(MessageReceived event) {
  const raft::Message& message = event.message;
  if (const auto* request = std::get_if<raft::ProposeRequest>(&message.body)) {
    OnProposeRequest(message, *request);
  } else if (const auto* reply = std::get_if<raft::ProposeReply>(&message.body)) {
    // The replier stepped down and we have not heard of the next leader yet: give that a moment.
    if (proposals_.OnReply(*reply, actions_)) hold_until_ = now_.boot + core_.timing().heartbeat;
  } else if (const auto* chunk = std::get_if<raft::SnapshotChunk>(&message.body)) {
    OnSnapshotChunk(message, *chunk);
  } else if (const auto* answer = std::get_if<raft::SnapshotChunkReply>(&message.body)) {
    sender_.OnReply(now_.boot, message.from, *answer, actions_);
  } else {
    Step(raft::Receive{std::move(event.message)});
  }
}

void Driver::OnProposeRequest(const raft::Message& message, const raft::ProposeRequest& request) {
  using Status = raft::ProposeReply::Status;
  const auto refuse = [&](Status why) {
    actions_.send.push_back(
        {config_.core.self, message.from, core_.term(), raft::ProposeReply{request.id, why}});
  };
  // A later term than ours: somebody else leads by now.
  if (!leads() || message.term > core_.term() || stop_deadline_) return refuse(Status::kNotLeader);
  if (!request.command || request.command->size() > limits::kCommandBytesMax)
    return refuse(Status::kQueueFull);
  if (proposals_.held() >= limits::kProposalsMax ||
      proposals_.held_bytes() + request.command->size() > limits::kProposalBytesMax) {
    return refuse(Status::kQueueFull);
  }
  proposals_.AddRemote(message.from, request);
}

void Driver::OnSnapshotChunk(const raft::Message& message, const raft::SnapshotChunk& chunk) {
  if (message.term > core_.term()) return;  // the core must hear of that leader first; the chunk comes again
  if (message.term < core_.term() || leads()) {
    actions_.send.push_back({config_.core.self, message.from, core_.term(),
                             raft::SnapshotChunkReply{.snapshot_id = chunk.snapshot_id, .refused = true}});
    return;
  }
  receiver_.OnChunk(now_.boot, message.from, core_.term(), chunk, core_.commit_index(), actions_);
}

// --- what the threads did ---

void Driver::On(EntriesApplied event) {
  CHECK(!apply_batches_.empty());
  applying_entries_ -= apply_batches_.front().first;
  applying_bytes_ -= apply_batches_.front().second;
  apply_batches_.pop_front();
  applied_ = event.entries.back().index;
  state_hash_ = event.state_hash;
  proposals_.OnApplied(std::move(event.entries), actions_);
  reads_.OnApplied(now_.boot, applied_, actions_);
  Step(raft::Applied{applied_});
}

void Driver::On(SnapshotTaken event) {
  sender_.OnTaken(now_.boot, event, core_.ConfigurationAt(event.index), actions_);
}

void Driver::On(SnapshotInstalled event) {
  applied_ = event.index;
  state_hash_ = event.state_hash;
  clock_.Saw(event.group_time);
  proposals_.OnInstalled(applied_, actions_);
  reads_.OnApplied(now_.boot, applied_, actions_);
  Step(raft::Applied{applied_});
  state_pending_ = false;
  std::move(held_jobs_.begin(), held_jobs_.end(), std::back_inserter(actions_.log));
  held_jobs_.clear();
}

void Driver::On(SnapshotRead event) { sender_.OnRead(now_.boot, core_.term(), std::move(event), actions_); }

void Driver::On(SnapshotWritten event) { receiver_.OnWritten(event, actions_); }

void Driver::On(SnapshotVerified event) {
  const auto received = receiver_.OnVerified(event, actions_);
  if (!received) return;
  Step(*received);
  if (!receiver_.installing()) receiver_.Decline(received->meta.last_index <= core_.commit_index(), actions_);
}

// --- the core ---

void Driver::Step(const raft::Input& input) {
  Absorb(core_.Step(now_.boot, input));
  FollowRole();
}

void Driver::Absorb(raft::Effects effects) {
  // Where a forwarded command was appended is said before its entry travels.
  if (!effects.proposed.empty()) {
    const bool refused = std::any_of(
        effects.proposed.begin(), effects.proposed.end(),
        [](const auto& result) { return result.fault && *result.fault != raft::ProposeFault::kQueueFull; });
    if (refused) hold_until_ = now_.boot + core_.timing().heartbeat;
    proposals_.OnProposed(effects.proposed, core_.term(), actions_);
  }
  Write(effects);
  std::move(effects.send_now.begin(), effects.send_now.end(), std::back_inserter(actions_.send));
  if (!effects.committed.empty()) {
    size_t bytes = 0;
    for (const raft::LogEntry& entry : effects.committed) bytes += entry.bytes();
    apply_batches_.emplace_back(effects.committed.size(), bytes);
    applying_entries_ += effects.committed.size();
    applying_bytes_ += bytes;
    actions_.apply.push_back(ApplyEntries{std::move(effects.committed)});
  }
  for (const raft::ReadResult& read : effects.reads) reads_.OnResult(now_.boot, read, applied_, actions_);
  for (MemberId to : effects.need_snapshot) sender_.Need(now_.boot, to, actions_);
  if (effects.dismissed) OnDismissed(*effects.dismissed);
}

// As a stop, without anything to wait for.
void Driver::OnDismissed(raft::Dismissal why) {
  actions_.dismissed = why;
  stop_deadline_ = now_.boot;
}

void Driver::PublishLease() {
  if (core_.lease_until() != published_lease_) actions_.lease_until = published_lease_ = core_.lease_until();
  if (core_.fresh_as_of() != published_fresh_) actions_.fresh_as_of = published_fresh_ = core_.fresh_as_of();
}

void Driver::FollowRole() {
  if (leads() && !leading_) clock_.Elected(now_.boot);
  if (!leads() && leading_) sender_.Abort(actions_);
  leading_ = leads();
  if (core_.leader() == leader_ && core_.term() == term_) return;
  leader_ = core_.leader();
  term_ = core_.term();
  hold_until_ = {};
  proposals_.OnLeaderChange(leader_, term_, actions_);
  reads_.OnLeaderChange();
  SetReadTimes();
}

void Driver::SetReadTimes() {
  const raft::Timing timing = core_.timing();
  reads_.SetTimes(timing.election_min, timing.heartbeat / 2);
}

void Driver::ReportSnapshots() {
  for (const raft::SnapshotSent& sent : sender_.TakeEnded()) Step(sent);
}

// --- what Collect does ---

void Driver::ProposeHeld() {
  if (!proposals_.HasHeld()) return;
  if (!leads()) proposals_.ReturnRemote(core_.term(), actions_);
  if (now_.boot < hold_until_) return;
  if (!leads()) {
    if (core_.leader() != MemberId{}) proposals_.Forward(core_.leader(), core_.term(), actions_);
    return;
  }
  // What is committed but not applied is memory too; until it shrinks nothing new is let in.
  if (applying_bytes_ >= limits::kProposalBytesMax || applying_entries_ >= 2 * limits::kProposalsMax) return;
  const rsm::Stamp stamp{clock_.At(now_.boot), now_.wall};
  raft::Propose propose;
  for (const raft::Payload& command : proposals_.TakeHeld())
    propose.proposals.push_back(
        {.tag = propose.proposals.size(),
         .type = raft::EntryType::kCommand,
         .payload = std::make_shared<const std::string>(rsm::StampCommand(stamp, *command))});
  Step(propose);
}

void Driver::StartReads() {
  // A lease says as much.
  const bool leased = now_.boot < core_.lease_until();
  const bool probe = config_.probe_interval.count() > 0 && now_.boot >= next_probe_ && !leased;
  if (leased) next_probe_ = now_.boot + config_.probe_interval;
  const auto id = reads_.Start(now_.boot, probe);
  if (id || probe) next_probe_ = now_.boot + config_.probe_interval;
  if (id) Step(raft::ReadRequest{*id});
}

// What is above `keep` goes, but for what a member still wants who answers, or to whom a snapshot is under
// way: until the log is so long that whoever wants it is better served by a snapshot. One who is silent wants
// nothing.
}  // namespace quorate::replica

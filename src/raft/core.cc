#include "raft/core.h"

#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "base/overloaded.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

CoreConfig WithDefaults(CoreConfig config) {
  const auto set = [](size_t& field, size_t value) { field = field == 0 ? value : field; };
  set(config.append_bytes_max, limits::kAppendBytesMax);
  set(config.inflight_messages_max, limits::kInflightMessagesMax);
  set(config.inflight_bytes_max, limits::kInflightBytesMax);
  set(config.uncommitted_bytes_max, limits::kUncommittedBytesMax);
  return config;
}

}  // namespace

Core::Impl::Impl(const CoreConfig& config, Restored restored, BootTime now)
    : config_(WithDefaults(config)),
      rng_(config.seed),
      now_(now),
      hard_state_(restored.hard_state),
      log_(std::move(restored.base), std::move(restored.entries)),
      commit_(std::max(log_.base_index(), restored.applied)),
      handed_out_(commit_),
      applied_(commit_),
      disk_idle_at_(now),
      apply_idle_at_(now),
      round_answered_at_(now),
      reported_applied_(commit_),
      // Unlike any id of an earlier life of this member, whose answers may still be under way.
      next_read_id_(Rng(config.seed ^ static_cast<uint64_t>(now.since_boot.count())).Next()) {
  CHECK(config_.self);
  CHECK_GT(config_.incarnation, 0u);
  CHECK_GT(config_.heartbeat_interval.count(), 0);
  CHECK_GT(config_.election_timeout_min, config_.heartbeat_interval);
  CHECK_GT(config_.election_timeout_max, config_.election_timeout_min);
  CHECK_LE(commit_, log_.last_index());  // the driver re-bases a log that ends before the applied state
  // The applied state may reach the disk before the log's own write of that term does. A vote of this member
  // in the term would have been durable, so there was none.
  if (log_.last_term() > term()) hard_state_ = {log_.last_term(), {}};
  ResetElectionTimer();
  // Nobody else could lead: no reason to wait.
  if (HasQuorum(log_.configuration(), [&](MemberId id) { return id == config_.self; }))
    election_deadline_ = now;
}

Effects Core::Impl::Step(BootTime now, const Input& input) {
  now_ = std::max(now_, now);
  effects_ = {};
  unsaved_before_ = hard_state_;
  const Observed before{hard_state_, role_, commit_, applied_, round_};
  if (log_.durable() == log_.last_index()) disk_idle_at_ = now_;
  if (applied_ == commit_) apply_idle_at_ = now_;
  Dispatch(input);
  FinishStep();
  CheckInvariants(before);
  return std::move(effects_);
}

void Core::Impl::Dispatch(const Input& input) {
  std::visit(Overloaded{[&](const Tick&) { OnTick(); },                                   //
                        [&](const Receive& in) { OnReceive(in.message); },                //
                        [&](const Propose& in) { OnPropose(in); },                        //
                        [&](const LogDurable& in) { OnLogDurable(in); },                  //
                        [&](const Applied& in) { OnApplied(in); },                        //
                        [&](const ReadRequest& in) { OnReadRequest(in); },                //
                        [&](const TransferLeadership& in) { OnTransferLeadership(in); },  //
                        [&](const Compacted& in) { OnCompacted(in); },                    //
                        [&](const SnapshotReceived& in) { OnSnapshotReceived(in); },      //
                        [&](const SnapshotSent& in) { OnSnapshotSent(in); },              //
                        [&](const DiskSpace& in) { disk_low_ = in.low; },                 //
                        [&](const Leave&) { OnLeave(); }},
             input);
}

void Core::Impl::OnReceive(const Message& message) {
  if (message.to != config_.self || message.from == config_.self || !message.from) {
    ++refused_messages_;
    return;
  }
  if (dismissed_) return;
  std::visit([&](const auto& body) { OnMessage(message, body); }, message.body);
}

void Core::Impl::OnLogDurable(const LogDurable& input) {
  const auto place = [](const LogDurable& of) { return std::pair(of.term, of.index); };
  if (install_pending_ && place(input) >= place(*install_pending_)) install_pending_.reset();
  const LogIndex before = log_.durable();
  log_.OnDurable(input.term, input.index);
  if (log_.durable() > before) disk_idle_at_ = now_;
}

void Core::Impl::OnApplied(const Applied& input) {
  CHECK_LE(input.index, handed_out_);
  if (input.index <= reported_applied_) return;
  reported_applied_ = input.index;
  applied_ = std::max(applied_, input.index);
  apply_idle_at_ = now_;
  UpdateFresh();
}

void Core::Impl::FinishStep() {
  if (role_ == Role::kLeader) FinishLeaderStep();
  CheckMembership();
  DropLeaseUnlessEligible();
  if (hard_state_ != unsaved_before_) effects_.hard_state = hard_state_;
  if (SIM_MUTANT("vote-not-persisted") && effects_.hard_state) effects_.hard_state->voted_for = {};
  if (SIM_MUTANT("term-not-persisted")) effects_.hard_state.reset();
  if (effects_.install) effects_.when_durable = install_pending_;
  if (!effects_.append.empty()) effects_.when_durable = LogDurable{term(), effects_.append.back().index};
  if (commit_ > handed_out_) {
    effects_.committed = log_.Slice(handed_out_ + 1, SIZE_MAX, commit_ - handed_out_);
    handed_out_ = commit_;
  }
}

void Core::Impl::CheckInvariants(const Observed& before) const {
  CHECK_GE(term(), before.hard_state.current_term);  // INV-1: terms never go back
  if (term() == before.hard_state.current_term && before.hard_state.voted_for) {
    CHECK_EQ(hard_state_.voted_for, before.hard_state.voted_for);  // INV-2: one vote in a term
  }
  CHECK_GE(commit_, before.commit);             // INV-3: what is committed stays so
  CHECK_LE(commit_, log_.last_index());         // INV-4
  CHECK_GE(commit_, log_.base_index());         // INV-5: only what is committed leaves the log
  CHECK_LE(log_.durable(), log_.last_index());  // INV-6
  CHECK_GE(log_.durable(), log_.base_index());
  CHECK_LE(applied_, handed_out_);  // INV-7: applied <= handed out <= committed
  CHECK_LE(handed_out_, commit_);
  CHECK_GE(applied_, before.applied);
  CHECK_LE(log_.last_term(), term());  // INV-8
  CHECK_GE(round_, before.round);      // INV-9: a round never repeats
  if (role_ == Role::kLeader) {
    CHECK_EQ(leader_, config_.self);                // INV-10: a leader knows who leads
    CHECK_EQ(hard_state_.voted_for, config_.self);  // INV-11: and voted for itself
    CHECK_LE(term_start_, log_.last_index());       // INV-12: its log begins its term with a no-op of it
    for (const auto& [id, peer] : peers_) {
      CHECK_LT(peer.match(), peer.next());           // INV-13
      CHECK_LE(peer.next(), log_.last_index() + 1);  // INV-14
      CHECK_LE(peer.acked_round(), round_);          // INV-15
    }
    CHECK(leases_.has_value());
  } else {
    CHECK(peers_.empty() && !leases_);  // INV-16: nothing of a leadership outlives it
    CHECK_EQ(reads_held_, 0u);
    CHECK_NE(leader_, config_.self);
  }
  const bool campaigns = role_ == Role::kCandidate || role_ == Role::kPreCandidate;
  if (campaigns) CHECK(!leader_);  // INV-17: who campaigns holds nobody for the leader
  if (role_ == Role::kCandidate) CHECK_EQ(hard_state_.voted_for, config_.self);  // INV-18
  // INV-19: a leader appends only (Leader Append-Only); INV-20: a term is led only once
  if (before.role == Role::kLeader && role_ == Role::kLeader)
    CHECK_EQ(term(), before.hard_state.current_term);
  if (before.role != Role::kLeader && role_ == Role::kLeader) CHECK(log_.TermAt(term_start_) == term());
}

Status Core::Impl::GetStatus() const {
  Status s{.self = config_.self,
           .leader = leader_,
           .role = role_,
           .hard_state = hard_state_,
           .first = log_.base_index() + 1,
           .last = log_.last_index(),
           .commit = commit_,
           .applied = applied_,
           .durable = log_.durable(),
           .configuration = log_.configuration(),
           .configuration_index = log_.configuration_index(),
           .transferring_to = transfer_to_,
           .lease_left = std::max(Duration(0), lease_until_ == kLongAgo ? Duration(0) : lease_until_ - now_),
           .refused_messages = refused_messages_,
           .rival_leaders = rival_leaders_};
  for (const auto& [id, peer] : peers_) {
    const bool recent = Answers(peer);
    const LeaseBook::Holder* h = leases_->Find(id);
    const bool dead = leases_->LeaseIsDead(id, now_);
    s.peers.push_back({.id = id,
                       .match = peer.match(),
                       .next = peer.next(),
                       .state = peer.state(),
                       .recent = recent,
                       .received = h ? h->received : LogIndex{},
                       .lease = LeaseStateOf(id, peer),
                       .lease_left = dead ? Duration(0) : leases_->DeadlineOf(id) - now_,
                       .drift_ppm = h ? h->drift_ppm : 0,
                       .applied = peer.said.applied,
                       .feature_level = peer.said.feature_level,
                       .disk_low = peer.said.disk_low,
                       .caught_up = KeepsUp(peer)});
  }
  if (role_ == Role::kLeader) s.lease = OwnLeaseState();
  return s;
}

LeaseState Core::Impl::OwnLeaseState() const {
  if (timing().lease.count() == 0 || !log_.configuration().leases_on) return LeaseState::kOff;
  if (!IsLeaseEligible(log_.configuration(), config_.self)) return LeaseState::kNotEligible;
  return ConfigurationIsCommitted() ? LeaseState::kHolder : LeaseState::kConfigurationPending;
}

Timing Core::Impl::EffectiveTiming() const {
  Timing t = timing();
  t.heartbeat = heartbeat();
  t.election_min = election_min();
  t.election_max = election_max();
  return t;
}

// --- the public face ---

Core::Core(const CoreConfig& config, Restored restored, BootTime now)
    : impl_(std::make_unique<Impl>(config, std::move(restored), now)) {}
Core::~Core() = default;
Core::Core(Core&&) noexcept = default;

Effects Core::Step(BootTime now, const Input& input) { return impl_->Step(now, input); }
BootTime Core::lease_until() const { return impl_->lease_until(); }
BootTime Core::fresh_as_of() const { return impl_->fresh_as_of(); }
Timing Core::timing() const { return impl_->EffectiveTiming(); }
BootTime Core::NextTick() const { return impl_->NextTick(); }
Role Core::role() const { return impl_->role(); }
Term Core::term() const { return impl_->term(); }
MemberId Core::leader() const { return impl_->leader(); }
LogIndex Core::commit_index() const { return impl_->commit(); }
Status Core::GetStatus() const { return impl_->GetStatus(); }
std::optional<Term> Core::TermAt(LogIndex index) const { return impl_->log().TermAt(index); }
LogIndex Core::configuration_index() const { return impl_->log().configuration_index(); }
Configuration Core::ConfigurationAt(LogIndex index) const { return impl_->log().ConfigurationAt(index); }
size_t Core::log_bytes() const { return impl_->log().bytes(); }

}  // namespace quorate::raft

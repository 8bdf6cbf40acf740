// Read leases (read-leases.md): what a follower takes, what a leader grants and takes back, and the gate that
// no commitment passes before every possible holder has the entry in memory.
#include <algorithm>
#include <set>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

constexpr size_t kStampsMax =
    32;  // waiting to be applied; more recent ones make up for those that are dropped
constexpr int64_t kDriftPpmMax = kRhoPercent * 10'000;

}  // namespace

// --- at every member ---

const Timing& Core::Impl::timing() const { return log_.configuration().timing; }

Duration Core::Impl::heartbeat() const {
  return timing().heartbeat.count() > 0 ? timing().heartbeat : config_.heartbeat_interval;
}
Duration Core::Impl::election_min() const {
  return timing().election_min.count() > 0 ? timing().election_min : config_.election_timeout_min;
}
Duration Core::Impl::election_max() const {
  return timing().election_max.count() > 0 ? timing().election_max : config_.election_timeout_max;
}

bool Core::Impl::ConfigurationIsCommitted() const {
  return log_.configuration_index() <= commit_ || SIM_MUTANT("roster-used-before-commit");
}

void Core::Impl::OnStamp(const Stamp& stamp, LogIndex verified) {
  // An echo of an earlier life: this clock may have begun anew since.
  if (stamp.incarnation != config_.incarnation && !SIM_MUTANT("no-incarnation-check")) return;
  if (verified < stamp.floor && !SIM_MUTANT("no-floor")) return;
  if (stamp.echo > now_) return;  // no clock's own reading
  NoteFresh({stamp.echo, stamp.floor});
  if (stamp.lease.count() <= 0 || stamp.seq <= revoked_seq_ || leaving_) return;
  if (!IsLeaseEligible(log_.configuration(), config_.self)) return;
  const BootTime from = SIM_MUTANT("lease-from-receipt") ? now_ : stamp.echo;
  lease_until_ = std::max(lease_until_, from + stamp.lease);
}

void Core::Impl::NoteFresh(Freshness next) {
  // Both grow along the queue. What needs more and says less goes: it may even wait for what was cut off the
  // log.
  while (!stamps_.empty() && stamps_.back().floor >= next.floor && stamps_.back().as_of <= next.as_of)
    stamps_.pop_back();
  const bool newer = stamps_.empty() || stamps_.back().as_of < next.as_of;
  if (newer && stamps_.size() < kStampsMax) stamps_.push_back(next);
  UpdateFresh();
}

void Core::Impl::UpdateFresh() {
  for (; !stamps_.empty() && stamps_.front().floor <= reported_applied_; stamps_.pop_front())
    fresh_as_of_ = std::max(fresh_as_of_, stamps_.front().as_of);
}

// Whoever is not eligible by the latest configuration in its own log has no lease, committed or not.
void Core::Impl::DropLeaseUnlessEligible() {
  if (lease_until_ == kLongAgo || IsLeaseEligible(log_.configuration(), config_.self)) return;
  if (SIM_MUTANT("removed-holder-keeps-lease")) return;
  SIM_PROBE("leases.dropped-by-configuration", lease_until_ > now_);
  lease_until_ = kLongAgo;
}

void Core::Impl::OnLeave() {
  leaving_ = true;
  lease_until_ = kLongAgo;
  for (MemberId id : EveryMember(log_.configuration()))
    if (id != config_.self) effects_.send_now.push_back(To(id, Goodbye{config_.incarnation}));
}

void Core::Impl::OnMessage(const Message& m, const Revoke& revoke) {
  if (m.term != term() || m.from != leader_) return;
  revoked_seq_ = std::max(revoked_seq_, revoke.seq);
  lease_until_ = kLongAgo;
  effects_.send_now.push_back(To(m.from, RevokeReply{revoke.seq, config_.incarnation}));
}

void Core::Impl::OnMessage(const Message& m, const RevokeReply& reply) {
  if (role_ == Role::kLeader && m.term == term() && Speaks(m)) leases_->OnRevoked(m.from, reply);
}

void Core::Impl::OnMessage(const Message& m, const Goodbye& goodbye) {
  if (role_ == Role::kLeader && Speaks(m)) leases_->OnGoodbye(m.from, goodbye.incarnation);
}

// Time since this member last gave a quorum to a lease; every later vote of it is later than that.
Duration Core::Impl::SinceRound() const { return now_ - round_answered_at_; }

bool Core::Impl::Alarmed() const {
  const Duration late = timing().ack_late;
  if (late.count() == 0) return false;
  const bool disk = log_.durable() < log_.last_index() && now_ - disk_idle_at_ > late;
  const bool state = applied_ < commit_ && now_ - apply_idle_at_ > late;
  SIM_PROBE("leases.alarm-disk", disk);
  SIM_PROBE("leases.alarm-state", state);
  return disk || state;
}

// --- at the leader ---

void Core::Impl::BeginLeases(BootTime evidence) {
  std::set<MemberId> potential;
  Duration wait{0};
  // From the last configuration that is surely committed to the end of the log: any of them may have ruled
  // when a predecessor granted.
  log_.ForEachConfigurationSince(commit_, [&](const Configuration& c) {
    if (SIM_MUTANT("ph-from-last-config-only") && &c != &log_.configuration()) return;
    wait = std::max(wait, c.timing.lease_wait);
    for (const Member& m : c.members)
      if (m.lease_eligible && c.timing.lease_wait.count() > 0 && m.id != config_.self) potential.insert(m.id);
  });
  if (SIM_MUTANT("new-leader-does-not-wait")) potential.clear();
  SIM_PROBE("leases.faster-failover", evidence < now_ && !potential.empty());
  leases_.emplace(evidence + wait, potential);
  configuration_settled_at_ = now_;
  gate_changes_at_ = kNever;
}

void Core::Impl::ConfirmLeases() {
  const uint64_t confirmed = SIM_MUTANT("no-quorum-confirm") ? round_ : ConfirmedRound();
  if (!leases_->Confirm(confirmed)) return;
  const LeaseBook::Base& base = *leases_->base();
  // What a predecessor committed may be above the commit index that the round began with, but not above the
  // no-op.
  NoteFresh({base.started, std::max(term_start_, base.commit)});
  const bool eligible = log_.configuration().leases_on && ConfigurationIsCommitted() &&
                        IsLeaseEligible(log_.configuration(), config_.self);
  if (eligible && !leaving_ && timing().lease.count() > 0)
    lease_until_ = std::max(lease_until_, base.started + timing().lease);
}

LogIndex Core::Impl::LeaseFloor() const { return std::max(term_start_, commit_); }

// The first reason that holds; read-leases.md, LEADER (a) to (d).
LeaseState Core::Impl::LeaseStateOf(MemberId id, const Progress& peer) const {
  if (timing().lease.count() == 0 || !log_.configuration().leases_on) return LeaseState::kOff;
  if (!IsLeaseEligible(log_.configuration(), id)) return LeaseState::kNotEligible;
  if (!ConfigurationIsCommitted()) return LeaseState::kConfigurationPending;
  const LeaseBook::Holder* h = leases_->Find(id);
  if (!h || !h->echo || now_ - peer.heard_at() > election_max()) return LeaseState::kSilent;
  if (h->gone) return LeaseState::kLeft;
  if (h->revoking || now_ < h->no_grant_before) return LeaseState::kRevoked;
  if (h->alarm) return LeaseState::kAlarm;
  if (std::abs(h->drift_ppm) > kDriftPpmMax) return LeaseState::kDrift;
  const bool sent =
      (peer.state() == Progress::State::kReplicate && peer.next() > LeaseFloor()) || SIM_MUTANT("no-floor");
  if (!sent || (SIM_MUTANT("starving-grant-rule") && peer.match() < LeaseFloor())) return LeaseState::kBehind;
  const auto oldest = peer.oldest_inflight();
  if (oldest && now_ - *oldest > timing().ack_late) return LeaseState::kLate;
  return LeaseState::kHolder;
}

std::optional<Stamp> Core::Impl::MakeStamp(MemberId to, const Progress& peer) {
  if (!leases_->base()) return std::nullopt;
  const auto echo = leases_->base()->echoes.find(to);
  LeaseBook::Holder& h = leases_->holder(to);
  if (echo == leases_->base()->echoes.end()) return std::nullopt;
  if (echo->second.incarnation != h.incarnation && !SIM_MUTANT("no-incarnation-check")) return std::nullopt;
  Stamp stamp{.echo = echo->second.at, .incarnation = h.incarnation, .seq = h.seq, .floor = LeaseFloor()};
  if (LeaseStateOf(to, peer) != LeaseState::kHolder) return stamp;
  stamp.lease = timing().lease;
  // Before the message leaves: from here on the gate waits for it.
  leases_->Granted(to, echo->second.received + timing().lease_wait);
  return stamp;
}

// A holder that answers, but holds up commitments for too long, has to give its lease back.
void Core::Impl::RevokeSlowHolders() {
  for (const auto& [id, peer] : peers_) {
    LeaseBook::Holder& h = leases_->holder(id);
    const bool slow = h.blocks_since && now_ - *h.blocks_since > timing().ack_late;
    if (slow && now_ - peer.heard_at() <= election_max()) {
      h.revoking = true;
      h.no_grant_before = now_ + timing().lease;
    }
    if (h.revoking) effects_.send_now.push_back(To(id, Revoke{h.seq}));
  }
}

// The largest index that may be committed of those up to `majority`: every potential holder that is not
// provably without a lease has it in memory, where its readers see that it is coming.
LogIndex Core::Impl::GatedCommit(LogIndex majority) {
  LeaseBook::Gate gate = leases_->GateFor(majority, config_.self, now_);
  gate_changes_at_ = gate.changes_at;
  SIM_PROBE("leases.gate-holds-commit", gate.open < majority);
  return SIM_MUTANT("no-gate") || SIM_MUTANT("gate-only-ack") ? majority : gate.open;
}

}  // namespace quorate::raft

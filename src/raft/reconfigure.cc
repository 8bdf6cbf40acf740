// What a leader changes in the configuration by itself: who is eligible for read leases, with hysteresis, and
// the lease's length, in the order that is safe (read-leases.md, "Configuration" and "State").
#include <algorithm>

#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

constexpr unsigned kDemotionsCounted = 4;  // each doubles how long a member must have been well again

// Raising: first the wait, then the lease, each committed before the next. Lowering: first the lease; the
// wait only after the old one has run out since.
bool StepTiming(Timing& t, Duration settled_for) {
  if (t.lease == t.lease_wanted) {
    const Duration wait = LeaseWaitFor(t.lease);
    if (t.lease_wait == wait || (t.lease_wait > wait && settled_for <= t.lease_wait)) return false;
    t.lease_wait = wait;
    return true;
  }
  if (t.lease > t.lease_wanted || t.lease_wait >= LeaseWaitFor(t.lease_wanted)) {
    t.lease = t.lease_wanted;
  } else {
    t.lease_wait = LeaseWaitFor(t.lease_wanted);
  }
  return true;
}

}  // namespace

void Core::Impl::NoteHealth() {
  for (const auto& [id, peer] : peers_) {
    LeaseBook::Holder& h = leases_->holder(id);
    const LeaseState state = LeaseStateOf(id, peer);
    // Who is not eligible is well when nothing else stands against it.
    const bool answers = h.echo && now_ - peer.heard_at() <= election_max() && !h.gone && !h.alarm;
    const auto oldest = peer.oldest_inflight();
    const bool keeps_up = peer.state() == Progress::State::kReplicate && peer.next() > LeaseFloor() &&
                          (!oldest || now_ - *oldest <= timing().ack_late);
    const bool well = state == LeaseState::kNotEligible
                          ? answers && keeps_up
                          : state == LeaseState::kHolder || state == LeaseState::kConfigurationPending;
    NoteWell(h, well);
  }
}

// A moment in which it lags is nothing: under steady writes a far member has many.
void Core::Impl::NoteWell(LeaseBook::Holder& h, bool well) const {
  if (well) {
    h.unwell_since.reset();
    if (!h.well_since) h.well_since = now_;
  } else {
    if (!h.unwell_since) h.unwell_since = now_;
    if (now_ - *h.unwell_since > timing().ack_late) h.well_since.reset();
  }
}

void Core::Impl::BeginTiming(Configuration& next) const {
  next.timing = config_.initial_timing;
  next.timing.lease_wanted = config_.initial_timing.lease;
  next.timing.lease = {};
  next.timing.lease_wait = LeaseWaitFor({});
  next.leases_on = config_.initial_leases;
  for (Member& m : next.members) m.lease_eligible = next.leases_on && !m.lease_barred;
}

bool Core::Impl::AdjustEligibility(Configuration& next) {
  bool changed = false;
  const Duration lease = timing().lease;
  for (Member& m : next.members) {
    if (m.lease_barred) continue;
    if (m.id == config_.self) {
      changed |= !std::exchange(m.lease_eligible, true);
      continue;
    }
    LeaseBook::Holder& h = leases_->holder(m.id);
    if (m.lease_eligible) {
      // Later leaders shall not have to wait for one that has long been without a lease.
      if (!h.unwell_since || now_ - *h.unwell_since <= 2 * timing().lease_wait) continue;
      if (!leases_->LeaseIsDead(m.id, now_)) continue;
      m.lease_eligible = false;
      h.demotions = std::min(h.demotions + 1, kDemotionsCounted);
      SIM_PROBE("leases.demoted", true);
    } else {
      if (!h.well_since || now_ - *h.well_since <= lease * (int64_t{1} << h.demotions)) continue;
      m.lease_eligible = true;
      SIM_PROBE("leases.made-eligible", true);
    }
    changed = true;
  }
  return changed;
}

void Core::Impl::MaybeReconfigure() {
  NoteHealth();
  const Configuration& now = log_.configuration();
  const bool begins = now.timing == Timing{} && config_.initial_timing != Timing{};
  if ((now.timing == Timing{} && !begins) || !now.outgoing_voters.empty() || transfer_to_) return;
  if (!CommittedInTerm() || log_.configuration_index() > commit_) {
    configuration_settled_at_ = now_;
    return;
  }
  Configuration next = now;
  if (begins) BeginTiming(next);
  bool changed = begins || StepTiming(next.timing, now_ - configuration_settled_at_);
  SIM_PROBE("leases.timing-step", changed);
  if (now.leases_on && now.timing.lease.count() > 0) changed |= AdjustEligibility(next);
  if (!changed) return;
  configuration_settled_at_ = now_;
  AppendOwn(EntryType::kConfiguration, std::make_shared<const std::string>(EncodeConfiguration(next)));
}

}  // namespace quorate::raft

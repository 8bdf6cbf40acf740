// What a leader changes in the configuration by itself: who is eligible for read leases, with hysteresis, and
// the lease's length, in the order that is safe (read-leases.md, "Configuration" and "State"); the feature
// level; which data directory each member is; repairs; and learners that have caught up.
#include <algorithm>

#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

constexpr Duration kForgottenAfter = std::chrono::minutes(1);
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

bool Core::Impl::AdjustLeases(Configuration& next) {
  const Timing& now = timing();
  const bool begins = now == Timing{} && config_.initial_timing != Timing{};
  if (now == Timing{} && !begins) return false;
  if (begins) BeginTiming(next);
  const bool stepped = !begins && StepTiming(next.timing, now_ - configuration_settled_at_);
  SIM_PROBE("leases.timing-step", begins || stepped);
  const bool on = !begins && next.leases_on && now.lease.count() > 0;
  const bool adjusted = on && AdjustEligibility(next);
  return begins || stepped || adjusted;
}

// What everybody can do. One that has been silent for long does not hold up the others: should its program be
// an old one, it takes part again once it is replaced.
bool Core::Impl::RaiseFeatureLevel(Configuration& next) const {
  uint64_t level = config_.feature_level;
  for (const auto& [id, peer] : peers_) {
    if (now_ - peer.heard_at() > kForgottenAfter || SIM_MUTANT("feature-level-too-early")) continue;
    level = std::min(level, peer.said.feature_level);
  }
  if (level <= next.feature_level) return false;
  next.feature_level = level;
  return true;
}

bool Core::Impl::NoteInstances(Configuration& next) const {
  bool changed = false;
  for (Member& m : next.members) {
    if (m.instance != 0) continue;
    const auto peer = peers_.find(m.id);
    if (m.id == config_.self) m.instance = config_.instance;
    if (peer != peers_.end()) m.instance = peer->second.said.instance;
    changed |= m.instance != 0;
  }
  return changed;
}

bool Core::Impl::Answers(const Progress& peer) const { return now_ - peer.heard_at() <= election_max(); }

// One that died with all there was in its log has nothing to catch up with, and does not keep up either.
bool Core::Impl::KeepsUp(const Progress& peer) const { return peer.caught_up() && Answers(peer); }

bool Core::Impl::WouldHaveQuorum(const Configuration& next) const {
  return HasQuorum(next, [&](MemberId id) {
    const auto peer = peers_.find(id);
    return id == config_.self || (peer != peers_.end() && Answers(peer->second));
  });
}

// A member that lost its log comes back as another instance: a voter still, but it makes no majority.
bool Core::Impl::BeginRepair(Configuration& next) {
  const auto wanted = std::exchange(repairs_wanted_, {});
  bool changed = false;
  for (const auto& [id, instance] : wanted) {
    const auto m = std::ranges::find(next.members, id, &Member::id);
    if (m == next.members.end() || m->instance == instance) continue;
    Configuration with = next;
    Member& again = with.members[static_cast<size_t>(m - next.members.begin())];
    again.instance = instance;
    again.repairing = again.voter;
    again.lease_eligible = false;
    if (!WouldHaveQuorum(with)) continue;
    next = std::move(with);
    changed = true;
  }
  SIM_PROBE("membership.repair-begins", changed);
  return changed;
}

// What it acknowledged in its earlier life made majorities only before the repair began: once it has all that
// was in the log by then it lacks nothing that anybody relies on.
bool Core::Impl::EndRepair(Configuration& next) const {
  bool changed = false;
  for (Member& m : next.members) {
    const auto peer = peers_.find(m.id);
    if (!m.repairing || peer == peers_.end()) continue;
    const bool has_all = KeepsUp(peer->second) && peer->second.match() >= log_.configuration_index();
    if (!has_all && !SIM_MUTANT("repair-ends-too-early")) continue;
    m.repairing = false;
    changed = true;
  }
  SIM_PROBE("membership.repair-ends", changed);
  return changed;
}

// Learners catch up first (dissertation 4.2.1); one at a time, and only into a group that goes on.
bool Core::Impl::PromoteLearner(Configuration& next) const {
  for (const Member& m : log_.configuration().members) {
    const auto peer = peers_.find(m.id);
    if (!m.promote || peer == peers_.end() || !KeepsUp(peer->second)) continue;
    Configuration with = next;
    std::erase_if(with.members, [&](const Member& other) { return other.id == m.replaces; });
    Member& promoted = *std::ranges::find(with.members, m.id, &Member::id);
    promoted.voter = true;
    promoted.promote = false;
    promoted.replaces = {};
    if (!WouldHaveQuorum(with)) continue;
    next = std::move(with);
    SIM_PROBE("membership.promoted", true);
    return true;
  }
  return false;
}

void Core::Impl::MaybeReconfigure() {
  NoteHealth();
  for (auto& [id, peer] : peers_) peer.NoteRound(log_.last_index(), now_, election_max());
  if (!CommittedInTerm() || log_.configuration_index() > commit_ || ChangeUnderWay()) {
    configuration_settled_at_ = now_;
    return;
  }
  if (transfer_to_) return;
  Configuration next = log_.configuration();
  bool changed = AdjustLeases(next);
  changed |= RaiseFeatureLevel(next);
  if (next.feature_level >= 2) {
    changed |= NoteInstances(next);
    changed |= EndRepair(next);
    changed |= BeginRepair(next);
    if (!changed) changed = PromoteLearner(next);
  }
  if (changed) AppendConfiguration(next);
}

}  // namespace quorate::raft

// Who is a member (Raft 6; dissertation 4). A change is given as the configuration to reach, and reached by
// way of one that any later leader can complete from:
//
//   joint     both halves decide, each by a majority of its own; who goes has no vote in the new half, and no
//             right to a lease. Without a second half where only learners go.
//   complete  once the joint one is committed and the leases of those who go are dead: they are not listed.
//
// Ids are given once, so who is not listed and not newer than the newest was removed, for ever, and may be
// told so by anybody who knows that configuration to be committed. Which data directory a member is, its
// instance, is written down as well: what another one says counts for nothing.
#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

constexpr unsigned kFarewells = 20;  // with as many heartbeats; later it has to ask

std::vector<MemberId> VotersOf(const Configuration& c) {
  std::vector<MemberId> out;
  for (const Member& m : c.members)
    if (m.voter) out.push_back(m.id);
  return out;
}

MemberId NewestId(const Configuration& c) {
  return c.members.empty() ? c.last_id : std::max(c.last_id, c.members.back().id);
}

Configuration StepTowards(const Configuration& from, Configuration target) {
  if (target.feature_level >= 2) target.last_id = std::max(NewestId(from), NewestId(target));
  if (SIM_MUTANT("no-joint-phase")) return target;
  if (VotersOf(from) != VotersOf(target)) target.outgoing_voters = VotersOf(from);
  for (const Member& m : from.members) {
    if (FindMember(target, m.id)) continue;
    Member goes = m;
    goes.voter = goes.promote = goes.lease_eligible = false;
    goes.replaces = {};
    goes.leaving = true;
    target.members.push_back(std::move(goes));
  }
  std::ranges::sort(target.members, {}, &Member::id);
  return target;
}

Configuration Completed(Configuration c) {
  std::erase_if(c.members, [](const Member& m) { return m.leaving; });
  for (Member& m : c.members) m.repairing = m.repairing && m.voter;
  c.outgoing_voters.clear();
  return c;
}

}  // namespace

// --- the leader ---

void Core::Impl::AppendConfiguration(const Configuration& target) {
  const Configuration next = StepTowards(log_.configuration(), target);
  configuration_settled_at_ = now_;
  AppendOwn(EntryType::kConfiguration, std::make_shared<const std::string>(EncodeConfiguration(next)));
  SIM_PROBE("membership.joint", !next.outgoing_voters.empty());
  TakeLeasesOfLeaving();
}

bool Core::Impl::ChangeUnderWay() const {
  const Configuration& c = log_.configuration();
  return !c.outgoing_voters.empty() || std::ranges::any_of(c.members, &Member::leaving);
}

// Asked for, a lease ends at once; else the change would wait, and with it every write that follows, until it
// has run out.
void Core::Impl::TakeLeasesOfLeaving() {
  for (const Member& m : log_.configuration().members) {
    if (!m.leaving || m.id == config_.self || leases_->LeaseIsDead(m.id, now_)) continue;
    LeaseBook::Holder& h = leases_->holder(m.id);
    if (std::exchange(h.revoking, true)) continue;
    effects_.send_now.push_back(To(m.id, Revoke{h.seq}));
  }
}

void Core::Impl::MaybeCompleteChange() {
  if (!ChangeUnderWay() || log_.configuration().feature_level < 2) return;
  const bool committed = CommittedInTerm() && log_.configuration_index() <= commit_;
  if (!committed && !SIM_MUTANT("joint-left-too-early")) return;
  const Configuration now = log_.configuration();
  for (const Member& m : now.members)
    if (m.leaving && m.id != config_.self && !leases_->LeaseIsDead(m.id, now_)) return;
  for (const Member& m : now.members)
    if (m.leaving && m.id != config_.self) left_[m.id] = kFarewells;
  SIM_PROBE("membership.completed", true);
  SIM_PROBE("membership.completed-by-a-later-leader", log_.configuration_index() < term_start_);
  configuration_settled_at_ = now_;
  AppendOwn(EntryType::kConfiguration,
            std::make_shared<const std::string>(EncodeConfiguration(Completed(now))));
  broadcast_due_ = true;
}

// Whoever led its own removal goes once it is committed without it (dissertation 4.2.2), and names a
// successor so that nobody has to wait for an election timeout.
void Core::Impl::LeaveLeadership() {
  if (ChangeUnderWay() || log_.configuration_index() > commit_ || !CommittedInTerm()) return;
  if (IsVoter(log_.configuration(), config_.self)) return;
  SIM_PROBE("membership.leader-leaves", true);
  const auto successor = peers_.find(MostCaughtUpVoter());
  if (successor != peers_.end() && successor->second.match() == log_.last_index())
    effects_.send_now.push_back(To(successor->first, TimeoutNow{}));
  BecomeFollower(term(), {});
}

void Core::Impl::DismissLeft() {
  if (log_.configuration_index() > commit_) return;
  for (auto it = left_.begin(); it != left_.end();) {
    effects_.send_now.push_back(To(it->first, Removed{}));
    it = --it->second == 0 ? left_.erase(it) : std::next(it);
  }
}

bool Core::Impl::Electable(MemberId id) const {
  const Member* m = FindMember(log_.configuration(), id);
  return m && m->voter && !m->repairing;
}

// --- instances ---

// The sender is the very data directory that the configuration means. As long as that is not written down,
// whoever lost its log is not.
bool Core::Impl::Speaks(const Message& m, uint64_t repairs) const {
  const Member* member = FindMember(log_.configuration(), m.from);
  if (!member) return IsVoter(log_.configuration(), m.from);
  return (member->instance == 0 && repairs == 0) || member->instance == m.instance ||
         SIM_MUTANT("wiped-replica-keeps-its-identity");
}

// An answer of `m.from` that is not the instance known. Only the leader can tell which of the two is the
// later one.
void Core::Impl::OnStranger(const Message& m, uint64_t repairs) {
  const Member* member = FindMember(log_.configuration(), m.from);
  if (!member || m.instance == 0) return;
  if (repairs != 0 && (repairs == member->instance || member->instance == 0)) {
    repairs_wanted_[m.from] = m.instance;
    return;
  }
  if (!CommittedInTerm() || log_.configuration_index() > commit_) return;
  SIM_PROBE("membership.stranger-turned-away", true);
  effects_.send_now.push_back(To(m.from, Removed{m.instance}));
}

bool Core::Impl::AwaitsRepair() const {
  if (config_.repairs == 0) return false;
  const Member* me = FindMember(log_.configuration(), config_.self);
  return !me || me->instance != config_.instance;
}

// --- every member ---

// True: it is no member any more, and was told so.
bool Core::Impl::TurnedAway(MemberId who) {
  const Configuration& c = log_.ConfigurationAt(commit_);
  if (c.last_id < who || FindMember(c, who)) return false;
  SIM_PROBE("membership.removed-one-turned-away", true);
  effects_.send_now.push_back(To(who, Removed{}));
  return true;
}

// A data directory that the group does not know campaigns with an empty log: it was made anew. Two like it
// could elect each other over all that was acknowledged.
bool Core::Impl::TurnedAwayEmpty(const Message& m, const RequestVote& request) {
  const Member* member = FindMember(log_.ConfigurationAt(commit_), m.from);
  const bool known = member && member->instance != 0 && m.instance != 0;
  if (!known || member->instance == m.instance || request.last_index) return false;
  SIM_PROBE("membership.empty-candidate-turned-away", true);
  effects_.send_now.push_back(To(m.from, Removed{m.instance}));
  return true;
}

void Core::Impl::OnMessage(const Message& m, const Knock& knock) {
  if (TurnedAway(m.from)) return;
  if (role_ == Role::kLeader && peers_.contains(m.from) && !Speaks(m, knock.repairs))
    OnStranger(m, knock.repairs);
}

// A voter that hears no leader asks the others for votes, and thereby whether it is one still. Whoever has no
// vote, or gets none, asks the rest like this: all the voters that it knew may have been removed like itself.
void Core::Impl::KnockAround() {
  if (dismissed_ || config_.feature_level < 2) return;
  const Configuration& c = log_.configuration();
  for (MemberId id : EveryMember(c)) {
    const bool asked = role_ == Role::kPreCandidate && IsVoter(c, id);
    if (id != config_.self && !asked) effects_.send_now.push_back(To(id, Knock{config_.repairs}));
  }
}

void Core::Impl::OnMessage(const Message& m, const Removed& removed) {
  // What was said to another data directory, or by one who led long ago, is not for this one.
  if (removed.stranger != 0 && (removed.stranger != config_.instance || m.term < term())) return;
  Dismiss(removed.stranger != 0 ? Dismissal::kStranger : Dismissal::kRemoved);
}

void Core::Impl::CheckMembership() {
  if (dismissed_ || role_ == Role::kLeader || membership_checked_ == commit_) return;
  membership_checked_ = commit_;
  const Configuration& c = log_.ConfigurationAt(commit_);
  if (c.last_id >= config_.self && !FindMember(c, config_.self)) Dismiss(Dismissal::kRemoved);
}

void Core::Impl::Dismiss(Dismissal why) {
  SIM_PROBE("membership.dismissed", true);
  BecomeFollower(term(), {});
  FailReads();
  lease_until_ = kLongAgo;
  leaving_ = true;
  dismissed_ = effects_.dismissed = why;
}

}  // namespace quorate::raft

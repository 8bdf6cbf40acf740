// Elections: Raft 5.2, 5.4.1; dissertation 9.6 (PreVote), 4.2.3 (stickiness), 3.10 (transfer).
#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {
namespace {

constexpr Duration kEvidenceMax = std::chrono::hours(1);  // longer than any lease

}  // namespace

void Core::Impl::OnTick() {
  if (role_ == Role::kLeader) {
    TickLeader();
    return;
  }
  ExpireForwarded();
  if (now_ >= election_deadline_) OnElectionTimeout();
}

BootTime Core::Impl::NextTick() const {
  if (role_ == Role::kLeader) {
    const BootTime next = std::min(heartbeat_due_, gate_changes_at_);
    return transfer_to_ ? std::min(next, transfer_deadline_) : next;
  }
  return forwarded_.empty() ? election_deadline_ : std::min(election_deadline_, forwarded_.front().deadline);
}

void Core::Impl::OnElectionTimeout() {
  // A member whose disk hangs could win and then hold up every write.
  if (Promotable() && !DiskStalled()) {
    const bool again = role_ == Role::kPreCandidate;
    BecomePreCandidate();
    if (again && role_ == Role::kPreCandidate) KnockAround();
    return;
  }
  BecomeFollower(term(), {});
  ResetElectionTimer();
  KnockAround();
}

void Core::Impl::ResetElectionTimer() {
  const auto spread = static_cast<uint64_t>((election_max() - election_min()).count());
  election_deadline_ = now_ + election_min() + Duration(rng_.Below(spread));
}

bool Core::Impl::Promotable() const {
  const Member* me = FindMember(log_.configuration(), config_.self);
  if (dismissed_ || AwaitsRepair() || (me && me->repairing)) return false;
  // A configuration without its vote may never be committed; and if nobody else has that entry, nobody else
  // can be elected (dissertation 4.2.2).
  bool votes = false;
  log_.ForEachConfigurationSince(commit_, [&](const Configuration& c) { votes |= IsVoter(c, config_.self); });
  return votes;
}

bool Core::Impl::HearsALeader() const {
  if (role_ == Role::kLeader) return true;  // CheckQuorum ends a leadership that nobody hears
  return leader_ && now_ < leader_heard_at_ + election_min();
}

bool Core::Impl::IsUpToDate(const RequestVote& candidate) const {
  if (SIM_MUTANT("vote-ignores-the-log")) return true;
  if (candidate.last_term != log_.last_term()) return candidate.last_term > log_.last_term();
  return candidate.last_index >= log_.last_index();
}

void Core::Impl::BecomeFollower(Term new_term, MemberId leader) {
  CHECK_GE(new_term, term());
  const bool led = role_ == Role::kLeader;
  if (led || leader != leader_ || new_term > term()) FailReads();
  if (new_term > term()) {
    hard_state_ = {new_term, {}};
    revoked_seq_ = 0;
  }
  role_ = Role::kFollower;
  leader_ = leader;
  votes_.clear();
  peers_.clear();
  leases_.reset();
  gate_changes_at_ = kNever;
  transfer_to_ = {};
  repairs_wanted_.clear();
  left_.clear();
  broadcast_due_ = false;
  if (led) ResetElectionTimer();
}

void Core::Impl::BecomePreCandidate() {
  // The old leader is forgotten: two pre-candidates that each still believed in one would refuse each other
  // for ever.
  BecomeFollower(term(), {});
  role_ = Role::kPreCandidate;
  ResetElectionTimer();
  RequestVotes(/*pre_vote=*/true, /*by_transfer=*/false);
}

void Core::Impl::BecomeCandidate(bool by_transfer) {
  BecomeFollower(term() + 1, {});
  role_ = Role::kCandidate;
  hard_state_.voted_for = config_.self;
  ResetElectionTimer();
  RequestVotes(/*pre_vote=*/false, by_transfer);
}

void Core::Impl::RequestVotes(bool pre_vote, bool by_transfer) {
  votes_ = {{config_.self, true}};
  last_round_evidence_ = round_answered_at_;
  const RequestVote request{.pre_vote = pre_vote,
                            .leadership_transfer = by_transfer,
                            .last_index = log_.last_index(),
                            .last_term = log_.last_term()};
  for (MemberId id : EveryMember(log_.configuration())) {
    if (id == config_.self || !IsVoter(log_.configuration(), id)) continue;
    Message m = To(id, request);
    // A pre-vote promises nothing. A request for a vote says that the own one is given: no answer to it may
    // come before that is durable.
    if (pre_vote) m.term = term() + 1;
    (pre_vote ? effects_.send_now : effects_.send_after_durable).push_back(std::move(m));
  }
  CountVotes();
}

void Core::Impl::CountVotes() {
  const bool pre_vote = role_ == Role::kPreCandidate;
  switch (TallyVotes(log_.configuration(), votes_)) {
    case VoteOutcome::kPending:
      return;
    case VoteOutcome::kLost:
      BecomeFollower(term(), {});
      return;
    case VoteOutcome::kWon:
      pre_vote ? BecomeCandidate(/*by_transfer=*/false) : BecomeLeader();
      return;
  }
}

void Core::Impl::BecomeLeader() {
  CHECK(role_ == Role::kCandidate);
  alone_ = HasQuorum(log_.configuration(), [&](MemberId id) { return id == config_.self; });
  role_ = Role::kLeader;
  leader_ = config_.self;
  votes_.clear();
  disk_idle_at_ = now_;
  uncommitted_bytes_ = 0;
  for (LogIndex i = commit_ + 1; i <= log_.last_index(); ++i) uncommitted_bytes_ += Log::Cost(log_.At(i));
  BeginLeases(last_round_evidence_);
  RefreshPeers();
  // Entries of earlier terms are committed only by this one (Raft 5.4.2, 8).
  term_start_ = AppendOwn(EntryType::kNoOp, nullptr);
  heartbeat_due_ = now_ + heartbeat();
  NewRound();
}

void Core::Impl::OnMessage(const Message& m, const RequestVote& request) {
  const auto reply = [&](Term with, bool granted) {
    Message out = To(m.from, RequestVoteReply{request.pre_vote, granted, SinceRound()});
    out.term = with;
    (request.pre_vote ? effects_.send_now : effects_.send_after_durable).push_back(std::move(out));
  };
  if (TurnedAway(m.from) || TurnedAwayEmpty(m, request)) return;
  if (m.term > term()) {
    // Nobody votes a leader away that it hears itself: a member cut off for a while cannot disturb the rest.
    if (HearsALeader() && !request.leadership_transfer) return;
    if (request.pre_vote) return IsUpToDate(request) ? reply(m.term, true) : reply(term(), false);
    BecomeFollower(m.term, {});
  }
  // A learner grants votes as well: the candidate's configuration may be newer than ours, and make it a
  // voter.
  const bool free_to_vote = hard_state_.voted_for == m.from || (!hard_state_.voted_for && !leader_);
  const bool grant =
      m.term == term() && !request.pre_vote && free_to_vote && IsUpToDate(request) && !AwaitsRepair();
  if (grant) {
    hard_state_.voted_for = m.from;
    ResetElectionTimer();
  }
  reply(term(), grant);
}

void Core::Impl::OnMessage(const Message& m, const RequestVoteReply& vote) {
  if (vote.pre_vote && vote.granted) {
    if (role_ != Role::kPreCandidate || m.term != term() + 1) return;
  } else {
    if (m.term > term()) BecomeFollower(m.term, {});
    if (m.term < term() || role_ != (vote.pre_vote ? Role::kPreCandidate : Role::kCandidate)) return;
  }
  if (!IsVoter(log_.configuration(), m.from) || !Speaks(m)) return;
  if (!votes_.emplace(m.from, vote.granted).second) return;  // the first answer counts
  // The voter's clock may run faster than ours.
  const Duration since =
      std::min<Duration>(vote.since_round, kEvidenceMax) * (100 - kRhoPercent) / (100 + kRhoPercent);
  if (vote.granted) last_round_evidence_ = std::max(last_round_evidence_, now_ - since);
  CountVotes();
}

void Core::Impl::OnMessage(const Message& m, const TimeoutNow&) {
  if (m.term > term()) BecomeFollower(m.term, m.from);
  if (m.term < term() || role_ == Role::kLeader || (leader_ && leader_ != m.from)) return;
  if (!Promotable() || DiskStalled()) return;
  BecomeCandidate(/*by_transfer=*/true);
}

}  // namespace quorate::raft

// What a leader does by itself: heartbeats, CheckQuorum, proposals, commitment (Raft 5.3, 5.4.2), transfer
// (dissertation 3.10).
#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/impl.h"

namespace quorate::raft {

void Core::Impl::TickLeader() {
  // Whoever leads nobody must fall silent, or it would keep those who still hear it from electing another.
  if (!HeardFromQuorum() || DiskStalled()) {
    BecomeFollower(term(), {});
    return;
  }
  if (transfer_to_ && now_ >= transfer_deadline_) transfer_to_ = {};
  if (now_ < heartbeat_due_) return;
  heartbeat_due_ = now_ + heartbeat();
  NewRound();
  RevokeSlowHolders();
  TakeLeasesOfLeaving();
  DismissLeft();
  MaybeReconfigure();
  if (transfer_to_) ContinueTransfer();
}

bool Core::Impl::HeardFromQuorum() const {
  const uint64_t heard_ns = QuorumValue(log_.configuration(), [&](MemberId id) -> uint64_t {
    const auto peer = peers_.find(id);
    const BootTime at = id == config_.self     ? now_
                        : peer == peers_.end() ? BootTime{}
                                               : peer->second.heard_at();
    return static_cast<uint64_t>(at.since_boot.count());
  });
  return now_.since_boot - Duration(heard_ns) <= election_max();
}

bool Core::Impl::DiskStalled() const {
  if (config_.disk_stall_max.count() == 0 || log_.durable() == log_.last_index()) return false;
  return now_ - disk_idle_at_ > config_.disk_stall_max;
}

void Core::Impl::NewRound() {
  ++round_;
  broadcast_due_ = true;
  round_answered_at_ = now_;
  leases_->StartRound(round_, now_, commit_);
  BeginReadBatch();
}

void Core::Impl::OnPropose(const Propose& input) {
  for (const Proposal& p : input.proposals) {
    ProposeResult result{.tag = p.tag, .fault = Refuse(p)};
    if (!result.fault) {
      if (p.type == EntryType::kConfiguration) {
        AppendConfiguration(*DecodeConfiguration(*p.payload));
      } else {
        AppendOwn(p.type, p.payload);
      }
      result.index = log_.last_index();
      result.term = term();
    }
    effects_.proposed.push_back(result);
  }
}

std::optional<ProposeFault> Core::Impl::Refuse(const Proposal& proposal) const {
  if (role_ != Role::kLeader) return ProposeFault::kNotLeader;
  if (transfer_to_) return ProposeFault::kTransferring;
  const size_t bytes = sizeof(LogEntry) + (proposal.payload ? proposal.payload->size() : 0);
  // One is always let in, whatever its size: the driver bounds that.
  if (uncommitted_bytes_ > 0 && uncommitted_bytes_ + bytes > config_.uncommitted_bytes_max) {
    return ProposeFault::kQueueFull;
  }
  if (proposal.type != EntryType::kConfiguration) return std::nullopt;
  // One change at a time, and none before this term has committed something: else two changes under way could
  // have majorities without a common member.
  if (SIM_MUTANT("second-change-too-early")) return std::nullopt;
  if (!CommittedInTerm() || !ConfigurationIsCommitted() || ChangeUnderWay()) return ProposeFault::kQueueFull;
  CHECK(proposal.payload && DecodeConfiguration(*proposal.payload));
  return std::nullopt;
}

LogIndex Core::Impl::AppendOwn(EntryType type, Payload payload) {
  CHECK(role_ == Role::kLeader);
  LogEntry entry{log_.last_index() + 1, term(), type, std::move(payload)};
  uncommitted_bytes_ += Log::Cost(entry);
  effects_.append.push_back(entry);
  log_.Append(term(), std::move(entry));
  if (type == EntryType::kConfiguration) RefreshPeers();
  return log_.last_index();
}

void Core::Impl::RefreshPeers() {
  std::map<MemberId, Progress> next;
  for (MemberId id : EveryMember(log_.configuration())) {
    if (id == config_.self) continue;
    const auto known = peers_.find(id);
    const Member* m = FindMember(log_.configuration(), id);
    // What another data directory acknowledged is nothing.
    const uint64_t said = known == peers_.end() ? 0 : known->second.said.instance;
    const bool same = known != peers_.end() && (!m || !m->instance || !said || m->instance == said);
    next.emplace(id, same ? std::move(known->second) : Progress(log_.last_index() + 1, now_));
  }
  peers_ = std::move(next);
}

void Core::Impl::AdvanceCommit() {
  const LogIndex majority{QuorumValue(log_.configuration(), [&](MemberId id) -> uint64_t {
    const bool mutant = SIM_MUTANT("removed-leader-counts-itself") && !Electable(config_.self) &&
                        id == log_.configuration().members.back().id;
    if (id == config_.self || mutant) return log_.durable().value;
    const auto peer = peers_.find(id);
    return peer == peers_.end() ? 0 : peer->second.match().value;
  })};
  gate_changes_at_ = kNever;
  if (majority <= commit_) return leases_->NothingWaits();
  const LogIndex open = GatedCommit(majority);
  // Only entries of the own term are committed by counting (Raft 5.4.2); the earlier ones come with them.
  const bool of_this_term = log_.TermAt(open) == term() || SIM_MUTANT("old-term-committed-by-counting");
  SIM_PROBE("raft.old-term-on-a-majority", open > commit_ && !of_this_term);
  if (open > commit_ && of_this_term) SetCommit(open);
}

uint64_t Core::Impl::ConfirmedRound() const {
  return QuorumValue(log_.configuration(), [&](MemberId id) -> uint64_t {
    if (id == config_.self) return round_;
    const auto peer = peers_.find(id);
    return peer == peers_.end() ? 0 : peer->second.acked_round();
  });
}

void Core::Impl::SetCommit(LogIndex index) {
  if (index <= commit_) return;
  CHECK_LE(index, log_.last_index());
  for (; role_ == Role::kLeader && commit_ < index; ++commit_) {
    const size_t cost = Log::Cost(log_.At(commit_ + 1));
    CHECK_GE(uncommitted_bytes_, cost);
    uncommitted_bytes_ -= cost;
  }
  commit_ = index;
}

bool Core::Impl::CommittedInTerm() const { return commit_ >= term_start_; }

void Core::Impl::OnTransferLeadership(const TransferLeadership& input) {
  if (role_ != Role::kLeader) return;
  const MemberId to = input.to ? input.to : MostCaughtUpVoter();
  if (!peers_.contains(to) || !Electable(to) || to == transfer_to_) return;
  transfer_to_ = to;
  transfer_deadline_ = now_ + election_max();
  transfer_asked_ = false;
  ContinueTransfer();
}

MemberId Core::Impl::MostCaughtUpVoter() const {
  MemberId best;
  std::pair<bool, LogIndex> best_rank;  // one whose disk is nearly full only where there is no other
  for (const auto& [id, peer] : peers_) {
    if (!Answers(peer) || !Electable(id)) continue;
    const std::pair<bool, LogIndex> rank{!peer.said.disk_low, peer.match()};
    if (!best || rank > best_rank) best = id, best_rank = rank;
  }
  return best;
}

void Core::Impl::ContinueTransfer() {
  const auto it = peers_.find(transfer_to_);
  if (it == peers_.end() || it->second.match() < log_.last_index()) return;
  effects_.send_now.push_back(To(transfer_to_, TimeoutNow{}));
  transfer_asked_ = true;
}

}  // namespace quorate::raft

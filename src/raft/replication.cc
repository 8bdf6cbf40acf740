// What a leader sends to each follower (Raft 5.3; dissertation 10.2.1), and what their answers tell it.
#include <algorithm>

#include "base/check.h"
#include "base/limits.h"
#include "base/sim_hooks.h"
#include "raft/impl.h"

namespace quorate::raft {

void Core::Impl::FinishLeaderStep() {
  AdvanceCommit();
  ConfirmReads();
  StartReadRound();
  ConfirmReads();
  ConfirmLeases();
  if (!OwnVoteIsDurable()) return;
  for (auto& [id, peer] : peers_) {
    if (SendEntries(id, peer)) continue;
    // Followers, and through them their readers, learn of a commitment at once and not with the next
    // heartbeat.
    // To one that fell behind the log nothing can be told: each answer would only bring the next attempt.
    const bool news = peer.state() == Progress::State::kReplicate && log_.TermAt(peer.next() - 1) &&
                      peer.told_commit() < std::min(commit_, peer.next() - 1);
    if (broadcast_due_ || news) SendEmpty(id, peer);
  }
  broadcast_due_ = false;
  MaybeCompleteChange();
  LeaveLeadership();
}

// The votes of others came after our own was durable. Whoever needed none must wait for its disk, or it could
// lead the same term again after a crash, with other entries in the same places.
bool Core::Impl::OwnVoteIsDurable() const { return !alone_ || log_.durable() >= term_start_; }

bool Core::Impl::SendEntries(MemberId to, Progress& peer) {
  if (peer.state() != Progress::State::kSnapshot && !log_.TermAt(peer.next() - 1)) AskForSnapshot(to, peer);
  bool sent = false;
  while (peer.Open(config_.inflight_messages_max, config_.inflight_bytes_max)) {
    const LogIndex prev = peer.next() - 1;
    if (!log_.TermAt(prev)) break;  // cannot be asked for a snapshot yet
    if (peer.state() == Progress::State::kReplicate && prev == log_.last_index()) break;
    std::vector<LogEntry> entries =
        log_.Slice(peer.next(), config_.append_bytes_max, limits::kAppendEntriesMax);
    size_t bytes = 0;
    for (const LogEntry& e : entries) bytes += Log::Cost(e);
    const LogIndex last = prev + entries.size();
    SendAppend(to, peer, prev, std::move(entries));
    peer.OnSent(last, bytes, now_);
    sent = true;
  }
  return sent;
}

// A heartbeat; also a probe: it names the last entry that was sent, so that a lost one is noticed.
void Core::Impl::SendEmpty(MemberId to, Progress& peer) {
  LogIndex prev = peer.next() - 1;
  if (peer.state() == Progress::State::kSnapshot || !log_.TermAt(prev)) prev = peer.match();
  if (!log_.TermAt(prev)) prev = {};
  SendAppend(to, peer, prev, {});
}

void Core::Impl::SendAppend(MemberId to, Progress& peer, LogIndex prev, std::vector<LogEntry> entries) {
  const LogIndex last = prev + entries.size();
  const Term prev_term = prev ? *log_.TermAt(prev) : Term{};
  if (!entries.empty()) CHECK_EQ(entries.front().index, prev + 1);
  if (peer.state() == Progress::State::kReplicate) peer.ToldCommit(std::min(commit_, last));
  effects_.send_now.push_back(To(to, AppendEntries{.prev_index = prev,
                                                   .prev_term = prev_term,
                                                   .entries = std::move(entries),
                                                   .leader_commit = commit_,
                                                   .round = round_,
                                                   .stamp = MakeStamp(to, peer)}));
}

void Core::Impl::OnMessage(const Message& m, const AppendEntriesReply& reply) {
  if (m.term > term()) BecomeFollower(m.term, {});
  // An answer of an older term confirms nothing: not a match, and not a round.
  const bool of_this_term = reply.request_term == term();
  SIM_PROBE("raft.answer-to-an-older-term", !of_this_term && m.term == term());
  const bool counts = of_this_term || SIM_MUTANT("rounds-not-bound-to-term");
  if (m.term < term() || role_ != Role::kLeader || !counts) return;
  const auto it = peers_.find(m.from);
  if (it == peers_.end()) return;
  if (!Speaks(m, reply.repairs)) return OnStranger(m, reply.repairs);
  const bool matched_is_possible = reply.durable <= reply.received && reply.received <= log_.last_index();
  // One beyond our last: it has that very index, in a lower term.
  const bool mismatch_is_possible = reply.conflict_index && reply.conflict_index <= log_.last_index() + 1;
  if (reply.round > round_ || !(reply.matched ? matched_is_possible : mismatch_is_possible)) {
    ++refused_messages_;
    return;
  }
  Progress& peer = it->second;
  const LeaseBook::Life life = leases_->OnAnswer(m.from, reply.incarnation);
  if (life == LeaseBook::Life::kDead) return;
  if (life == LeaseBook::Life::kNew) peer.OnRestarted();
  peer.Heard(now_);
  peer.AckRound(reply.round);
  leases_->OnEcho(m.from, reply.echo, now_);
  leases_->holder(m.from).alarm = reply.alarm;
  peer.said = {m.instance, reply.applied, reply.feature_level, reply.disk_low};
  if (reply.matched) {
    leases_->OnReceived(m.from, reply.received);
    peer.OnMatched(reply.received, SIM_MUTANT("memory-counts-as-durable") ? reply.received : reply.durable);
  } else {
    peer.OnMismatch(log_.LastAgreement(reply.conflict_index - 1, reply.conflict_term) + 1);
  }
  const bool log_suffices = log_.TermAt(peer.match()).has_value() && peer.match();
  if (peer.state() == Progress::State::kSnapshot && log_suffices) peer.BecomeProbe(peer.match() + 1);
  if (m.from == transfer_to_ && !transfer_asked_) ContinueTransfer();
}

}  // namespace quorate::raft

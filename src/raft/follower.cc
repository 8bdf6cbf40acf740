// AppendEntries at its receiver (Raft 5.3, Figure 2).
#include <algorithm>

#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/impl.h"

namespace quorate::raft {

// Could an honest leader have sent it? A slice with a gap, or of falling terms, never gets near the log.
bool Core::Impl::IsSound(const Message& m, const AppendEntries& append) const {
  if (!m.term || append.prev_term > m.term || append.prev_index.value > kNumberMax) return false;
  if (!append.prev_index && append.prev_term) return false;
  LogIndex index = append.prev_index;
  Term last = append.prev_term;
  for (const LogEntry& e : append.entries) {
    if (e.index != ++index || e.term < last || e.term > m.term) return false;
    const bool configures = e.type == EntryType::kConfiguration;
    if (configures && (!e.payload || !DecodeConfiguration(*e.payload))) return false;
    last = e.term;
  }
  return true;
}

void Core::Impl::OnMessage(const Message& m, const AppendEntries& append) {
  if (!IsSound(m, append)) {
    ++refused_messages_;
    return;
  }
  if (m.term < term()) {
    // Told so, an old leader steps down; it could not be deposed by a vote that everybody ignores.
    effects_.send_after_durable.push_back(Reply(m, append, {}));
    return;
  }
  if (m.term == term() && leader_ && leader_ != m.from) {
    ++rival_leaders_;
    return;
  }
  if (m.term > term() || leader_ != m.from) BecomeFollower(m.term, m.from);
  leader_heard_at_ = round_answered_at_ = now_;
  ResetElectionTimer();
  if (!AgreesWithCommitted(append)) {
    ++rival_leaders_;
  } else if (append.prev_index > commit_ && log_.TermAt(append.prev_index) != append.prev_term &&
             !(SIM_MUTANT("prev-term-unchecked") && log_.TermAt(append.prev_index))) {
    ReplyMismatch(m, append);
  } else {
    AcceptEntries(m, append);
  }
}

Message Core::Impl::Reply(const Message& m, const AppendEntries& append, AppendEntriesReply reply) const {
  reply.round = append.round;
  reply.request_term = m.term;
  reply.echo = now_;
  reply.incarnation = config_.incarnation;
  reply.alarm = Alarmed();
  reply.applied = reported_applied_;
  reply.repairs = config_.repairs;  // for who does not know this instance, whatever the own log says
  reply.feature_level = config_.feature_level;
  reply.disk_low = disk_low_;
  return To(m.from, reply);
}

bool Core::Impl::AgreesWithCommitted(const AppendEntries& append) const {
  const auto agrees = [&](LogIndex index, Term with) {
    const std::optional<Term> ours = log_.TermAt(index);
    return index > commit_ || !ours || *ours == with;
  };
  return agrees(append.prev_index, append.prev_term) &&
         std::ranges::all_of(append.entries, [&](const LogEntry& e) { return agrees(e.index, e.term); });
}

void Core::Impl::ReplyMismatch(const Message& m, const AppendEntries& append) {
  // Everything committed is in the leader's log too, whatever it probes.
  const LogIndex last = std::max(log_.LastAgreement(append.prev_index, append.prev_term), commit_);
  const bool unsaved = hard_state_ != unsaved_before_;
  (unsaved ? effects_.send_after_durable : effects_.send_now)
      .push_back(Reply(m, append, {.conflict_index = last + 1, .conflict_term = *log_.TermAt(last)}));
}

void Core::Impl::AcceptEntries(const Message& m, const AppendEntries& append) {
  const LogIndex verified = std::max(append.prev_index + append.entries.size(), commit_);
  const auto is_new = [&](const LogEntry& e) { return e.index > commit_ && log_.TermAt(e.index) != e.term; };
  auto fresh = std::ranges::find_if(append.entries, is_new);
  const bool truncates = fresh != append.entries.end() && fresh->index <= log_.last_index();
  SIM_PROBE("raft.follower-drops-a-conflicting-suffix", truncates);
  if (truncates) log_.TruncateFrom(fresh->index);
  if (SIM_MUTANT("old-append-truncates") && !append.entries.empty() && verified < log_.last_index())
    log_.TruncateFrom(verified + 1);
  for (; fresh != append.entries.end(); ++fresh) {
    log_.Append(term(), *fresh);
    effects_.append.push_back(*fresh);
  }
  // Beyond what this very message verified our log may still differ from the leader's.
  SIM_PROBE("raft.commit-bounded-by-what-was-verified",
            append.leader_commit > verified && verified < log_.last_index());
  SetCommit(std::min(append.leader_commit,
                     SIM_MUTANT("follower-commits-beyond-verified") ? log_.last_index() : verified));

  if (append.stamp) OnStamp(*append.stamp, verified);
  AcknowledgeEntries(m, append, verified);
}

// At once what is in memory: reads and leases hang on it, and the gate of commitments. After the disk what is
// durable. The step that takes up a new term answers only after the disk; a later one may answer before that
// write is done, which promises nothing that a crash could take back: votes and matches are durable, and what
// an old life had in memory ends with its incarnation.
void Core::Impl::AcknowledgeEntries(const Message& m, const AppendEntries& append, LogIndex verified) {
  AppendEntriesReply reply{.matched = true, .received = verified, .durable = verified};
  const bool unsaved = hard_state_ != unsaved_before_;
  const bool leases = timing().lease.count() > 0;
  if (!append.entries.empty() || unsaved) effects_.send_after_durable.push_back(Reply(m, append, reply));
  if (unsaved || (!append.entries.empty() && !leases)) return;
  reply.durable = install_pending_ ? LogIndex{} : std::min(verified, log_.durable());
  effects_.send_now.push_back(Reply(m, append, reply));
}

}  // namespace quorate::raft

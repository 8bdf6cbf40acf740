// The core's state and its parts by role. Private to this folder; core.h is the interface.
//
//   core.cc         Step: dispatch, the term rule, what every step ends with, the invariants
//   election.cc     timers, PreVote, votes, becoming follower, candidate and leader
//   leadership.cc   what a leader does by itself: heartbeats, CheckQuorum, proposals, commitment, transfer
//   replication.cc  what a leader sends to each follower, and their answers
//   follower.cc     AppendEntries at its receiver
//   read_index.cc   ReadIndex at the leader and through a follower
//   snapshot.cc     snapshots received, sent and taken
//   lease.cc        read leases: taken, granted, taken back; the gate before commitment
//   membership.cc   who is a member: the steps of a change, removal, instances
//   reconfigure.cc  what a leader changes in the configuration by itself
#pragma once

#include <deque>
#include <map>
#include <vector>

#include "base/rng.h"
#include "raft/core.h"
#include "raft/lease_book.h"
#include "raft/log.h"
#include "raft/progress.h"
#include "raft/quorum.h"

namespace quorate::raft {

class Core::Impl {
 public:
  Impl(const CoreConfig& config, Restored restored, BootTime now);

  Effects Step(BootTime now, const Input& input);
  BootTime NextTick() const;
  Status GetStatus() const;

  Role role() const { return role_; }
  Term term() const { return hard_state_.current_term; }
  MemberId leader() const { return leader_; }
  LogIndex commit() const { return commit_; }
  const Log& log() const { return log_; }
  BootTime lease_until() const { return lease_until_; }
  BootTime fresh_as_of() const { return fresh_as_of_; }
  Timing EffectiveTiming() const;

 private:
  // --- core.cc ---
  // What may only move forward within a step.
  struct Observed {
    HardState hard_state;
    Role role;
    LogIndex commit, applied;
    uint64_t round;
  };
  void Dispatch(const Input& input);
  void OnReceive(const Message& message);
  void OnMessage(const Message& m, const RequestVote& body);
  void OnMessage(const Message& m, const RequestVoteReply& body);
  void OnMessage(const Message& m, const AppendEntries& body);
  void OnMessage(const Message& m, const AppendEntriesReply& body);
  void OnMessage(const Message& m, const TimeoutNow& body);
  void OnMessage(const Message& m, const ReadIndexRequest& body);
  void OnMessage(const Message& m, const ReadIndexReply& body);
  void OnMessage(const Message& m, const Revoke& body);
  void OnMessage(const Message& m, const RevokeReply& body);
  void OnMessage(const Message& m, const Goodbye& body);
  void OnMessage(const Message& m, const Knock& body);
  void OnMessage(const Message& m, const Removed& body);
  template <class DriversOwn>
  void OnMessage(const Message&, const DriversOwn&) {}
  void OnLogDurable(const LogDurable& input);
  void OnApplied(const Applied& input);
  void FinishStep();
  void CheckInvariants(const Observed& before) const;
  template <class Body>
  Message To(MemberId to, Body body) const {
    return {config_.self, to, term(), std::move(body), config_.instance};
  }

  // --- election.cc ---
  void OnTick();
  void OnElectionTimeout();
  void ResetElectionTimer();
  bool Promotable() const;                              // a voter may campaign
  bool HearsALeader() const;                            // leader stickiness (dissertation 4.2.3)
  bool IsUpToDate(const RequestVote& candidate) const;  // Raft 5.4.1
  void BecomeFollower(Term term, MemberId leader);
  void BecomePreCandidate();
  void BecomeCandidate(bool by_transfer);
  void BecomeLeader();
  void RequestVotes(bool pre_vote, bool by_transfer);
  void CountVotes();

  // --- leadership.cc ---
  void TickLeader();
  bool HeardFromQuorum() const;
  bool DiskStalled() const;
  void NewRound();
  void OnPropose(const Propose& input);
  std::optional<ProposeFault> Refuse(const Proposal& proposal) const;
  LogIndex AppendOwn(EntryType type, Payload payload);
  void RefreshPeers();
  void AdvanceCommit();
  uint64_t ConfirmedRound() const;  // the latest that a quorum of every half has answered
  bool CommittedInTerm() const;     // an entry of the current term is committed
  void OnTransferLeadership(const TransferLeadership& input);
  MemberId MostCaughtUpVoter() const;
  void ContinueTransfer();

  // --- replication.cc ---
  void FinishLeaderStep();
  bool OwnVoteIsDurable() const;
  bool SendEntries(MemberId to, Progress& peer);
  void SendEmpty(MemberId to, Progress& peer);
  void SendAppend(MemberId to, Progress& peer, LogIndex prev, std::vector<LogEntry> entries);

  // --- follower.cc ---
  bool IsSound(const Message& m, const AppendEntries& append) const;
  bool AgreesWithCommitted(const AppendEntries& append) const;
  void AcceptEntries(const Message& m, const AppendEntries& append);
  // Fills in what every answer has.
  Message Reply(const Message& m, const AppendEntries& append, AppendEntriesReply reply) const;
  void ReplyMismatch(const Message& m, const AppendEntries& append);
  void AcknowledgeEntries(const Message& m, const AppendEntries& append, LogIndex verified);
  void SetCommit(LogIndex index);

  // --- read_index.cc ---
  struct ReadWaiter {
    MemberId from;  // 0: here
    uint64_t id = 0;
  };
  struct ReadBatch {
    uint64_t round = 0;
    LogIndex index;
    std::vector<ReadWaiter> waiters;
  };
  struct Forwarded {
    uint64_t id = 0;
    BootTime deadline;
    std::vector<uint64_t> reads;
  };
  void OnReadRequest(const ReadRequest& input);
  void AddRead(ReadWaiter waiter);
  void StartReadRound();
  void BeginReadBatch();
  void ConfirmReads();
  void AnswerRead(const ReadWaiter& waiter, bool ok, LogIndex index);
  void ForwardReads();
  void ExpireForwarded();
  void FailReads();

  // --- lease.cc ---
  const Timing& timing() const;
  Duration heartbeat() const;
  Duration election_min() const;
  Duration election_max() const;
  bool ConfigurationIsCommitted() const;
  void OnStamp(const Stamp& stamp, LogIndex verified);
  struct Freshness {
    BootTime as_of;
    LogIndex floor;
  };
  void NoteFresh(Freshness next);
  void UpdateFresh();
  void DropLeaseUnlessEligible();
  void OnLeave();
  Duration SinceRound() const;
  bool Alarmed() const;
  void BeginLeases(BootTime evidence);
  void ConfirmLeases();
  LogIndex LeaseFloor() const;
  LeaseState OwnLeaseState() const;
  LeaseState LeaseStateOf(MemberId id, const Progress& peer) const;
  std::optional<Stamp> MakeStamp(MemberId to, const Progress& peer);
  void RevokeSlowHolders();
  LogIndex GatedCommit(LogIndex majority);

  // --- membership.cc ---
  void AppendConfiguration(const Configuration& target);
  bool ChangeUnderWay() const;
  void MaybeCompleteChange();
  void TakeLeasesOfLeaving();
  void LeaveLeadership();
  bool Speaks(const Message& m, uint64_t repairs = 0) const;
  bool TurnedAway(MemberId who);
  bool TurnedAwayEmpty(const Message& m, const RequestVote& request);
  void OnStranger(const Message& m, uint64_t repairs);
  void DismissLeft();
  void KnockAround();
  void CheckMembership();
  void Dismiss(Dismissal why);
  bool AwaitsRepair() const;  // lost its log, and is not yet listed anew
  bool Electable(MemberId id) const;

  // --- reconfigure.cc ---
  void MaybeReconfigure();
  bool AdjustLeases(Configuration& next);
  bool RaiseFeatureLevel(Configuration& next) const;
  bool NoteInstances(Configuration& next) const;
  bool BeginRepair(Configuration& next);
  bool EndRepair(Configuration& next) const;
  bool PromoteLearner(Configuration& next) const;
  bool Answers(const Progress& peer) const;  // within an election timeout
  bool KeepsUp(const Progress& peer) const;
  bool WouldHaveQuorum(const Configuration& next) const;
  void NoteHealth();
  void NoteWell(LeaseBook::Holder& h, bool well) const;
  void BeginTiming(Configuration& next) const;
  bool AdjustEligibility(Configuration& next);

  // --- snapshot.cc ---
  void OnSnapshotReceived(const SnapshotReceived& input);
  void OnSnapshotSent(const SnapshotSent& input);
  void OnCompacted(const Compacted& input);
  void AskForSnapshot(MemberId to, Progress& peer);

  const CoreConfig config_;
  Rng rng_;
  BootTime now_;
  Effects effects_;           // of the step under way
  HardState unsaved_before_;  // hard_state_ as the step began

  HardState hard_state_;
  Log log_;
  LogIndex commit_;
  LogIndex handed_out_;  // Effects::committed went up to here
  LogIndex applied_;

  Role role_ = Role::kFollower;
  MemberId leader_;
  BootTime leader_heard_at_;
  BootTime election_deadline_;
  std::map<MemberId, bool> votes_;
  // Of a candidate: no quorum answered a round of an older term later than this.
  BootTime last_round_evidence_;
  BootTime disk_idle_at_;   // last time when nothing waited for the disk, or it made progress
  BootTime apply_idle_at_;  // the same of the state machine

  BootTime lease_until_ = kLongAgo;
  BootTime fresh_as_of_ = kLongAgo;
  BootTime round_answered_at_;  // or, leading, started; the start of this life where there was none
  uint64_t revoked_seq_ = 0;    // of this term's leader
  bool leaving_ = false;
  std::deque<Freshness> stamps_;  // wait for their floor to be applied ...
  LogIndex reported_applied_;     // ... in truth: applied_ is ahead while a snapshot is put in place

  // Of a leader.
  std::map<MemberId, Progress> peers_;
  std::optional<LeaseBook> leases_;
  BootTime gate_changes_at_ = kNever;  // a commitment waits for a lease to end
  BootTime configuration_settled_at_;  // last seen uncommitted, or changed
  LogIndex term_start_;                // the no-op of this term
  bool alone_ = false;                 // elected by nobody else's vote
  BootTime heartbeat_due_;
  uint64_t round_ = 0;  // never goes back while the process lives; a term is never led twice
  bool broadcast_due_ = false;
  size_t uncommitted_bytes_ = 0;
  std::map<MemberId, uint64_t> repairs_wanted_;  // by the new instance that asks
  std::map<MemberId, unsigned> left_;            // removed; told so a few times more
  MemberId transfer_to_;
  BootTime transfer_deadline_;
  bool transfer_asked_ = false;        // TimeoutNow left; repeated with each heartbeat
  std::deque<ReadWaiter> read_queue_;  // waiting for a round to be started
  std::deque<ReadBatch> read_batches_;
  size_t reads_held_ = 0;  // in both

  // The snapshot accepted last is not yet on disk: a crash brings back the log from before it.
  std::optional<LogDurable> install_pending_;

  // Of a follower with a leader.
  std::deque<uint64_t> unforwarded_;
  std::deque<Forwarded> forwarded_;
  size_t forwarded_reads_ = 0;
  uint64_t next_read_id_;

  bool disk_low_ = false;
  std::optional<Dismissal> dismissed_;
  LogIndex membership_checked_;  // the commit index then

  uint64_t refused_messages_ = 0;
  uint64_t rival_leaders_ = 0;
};

}  // namespace quorate::raft

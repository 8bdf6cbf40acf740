// Every proposal that waits for its outcome, from the call to the callback.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <set>
#include <variant>
#include <vector>

#include "replica/events.h"

namespace quorate::replica {

// Held (no leader took it yet) -> appended here, or forwarded and then appended there -> applied. A proposal
// that was only ever held was certainly not appended; after that only the log tells. Nothing is sent twice:
// whoever gets OutcomeUnknown asks again with the same session.
class Proposals {
 public:
  // `first_id` is new for every start of the process: ids of an earlier life must not be answered.
  Proposals(MemberId self, uint64_t first_id) : self_(self), next_id_(first_id) {}

  void Add(BootTime now, ProposeCall call, Actions& actions);
  // Another member's, to be appended here. False: it came already (the network repeats).
  bool AddRemote(MemberId from, const raft::ProposeRequest& request);

  bool HasHeld() const { return !held_.empty(); }
  size_t held() const { return held_.size(); }
  size_t held_bytes() const;                             // of the commands held; costs their number
  void SetApplied(LogIndex index) { applied_ = index; }  // as found at the start

  // This member leads: everything held, in order; tags count from 0. OnProposed answers it.
  std::vector<raft::Payload> TakeHeld();
  void OnProposed(const std::vector<raft::ProposeResult>& results, Term term, Actions& actions);
  // Another member leads: sends everything held to it.
  void Forward(MemberId leader, Term term, Actions& actions);
  // Not leading: others' proposals must find the leader themselves.
  void ReturnRemote(Term term, Actions& actions);

  // True: the leader did not take it and it is held again.
  bool OnReply(const raft::ProposeReply& reply, Actions& actions);
  // Another leader or term: what was forwarded and not answered may or may not be in the log.
  void OnLeaderChange(MemberId leader, Term term, Actions& actions);

  void OnApplied(std::vector<AppliedEntry> entries, Actions& actions);
  // A snapshot took the place of the entries up to `index`: their outcomes are not known here.
  void OnInstalled(LogIndex index, Actions& actions);

  void Expire(BootTime now, Actions& actions);
  // When to call Expire() at the latest.
  BootTime NextDeadline() const { return earliest_; }
  void FailAll(Actions& actions);
  size_t size() const { return held_.size() + taken_.size() + forwarded_.size() + appended_.size(); }

 private:
  struct Caller {
    BootTime deadline;
    std::function<void(ProposeOutcome)> done;
  };
  struct Remote {
    MemberId from;
    uint64_t id = 0;
  };
  struct Held {
    raft::Payload command;
    std::variant<Caller, Remote> origin;
  };
  struct Forwarded {
    Held held;  // of a Caller
    MemberId leader;
    Term term;
  };
  struct Appended {
    Term term;
    size_t bytes = 0;
    Caller caller;
  };

  void Answer(Caller caller, ProposeOutcome outcome, Actions& actions);
  void Drop(Held& held, ProposeOutcome outcome, Actions& actions);
  void Await(LogIndex index, Term term, Held held, Actions& actions);
  void Remember(AppliedEntry entry);

  MemberId self_;
  uint64_t next_id_;
  size_t bytes_ = 0;  // of callers' commands
  std::deque<Held> held_;
  std::vector<Held> taken_;  // between TakeHeld and OnProposed
  std::map<uint64_t, Forwarded> forwarded_;
  std::multimap<LogIndex, Appended> appended_;
  struct Seen {
    std::set<uint64_t> ids;
    std::deque<uint64_t> order;
  };
  std::map<MemberId, Seen> remote_seen_;  // the newest ids of each member
  BootTime earliest_{Duration::max()};    // no deadline is before it

  // Outcomes of the newest entries: the reply that says where a forwarded command was appended may be
  // overtaken by its being applied here.
  std::deque<AppliedEntry> recent_;
  LogIndex applied_;
  size_t recent_bytes_ = 0;
};

}  // namespace quorate::replica

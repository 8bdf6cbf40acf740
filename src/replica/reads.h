// Reads that wait for ReadIndex (dissertation 6.4), in rounds: all that wait share one request.
#pragma once

#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "base/sim_hooks.h"
#include "replica/events.h"

namespace quorate::replica {

// One round at a time. A read joins only a round that begins after it came, and every attempt has a new id:
// an answer to an older one, late or repeated, counts for nothing (etcd#20418).
class Reads {
 public:
  Reads(uint64_t first_id, Duration attempt_timeout, Duration retry_after)
      : next_id_(first_id), attempt_timeout_(attempt_timeout), retry_after_(retry_after) {}

  // A call with a target waits for that to be applied, at most `hold`; then it is as one without.
  void Add(BootTime now, ReadCall call, LogIndex applied, Duration hold, Actions& actions);
  // The group's times may change.
  void SetTimes(Duration attempt_timeout, Duration retry_after) {
    attempt_timeout_ = attempt_timeout;
    retry_after_ = retry_after;
  }
  uint64_t rounds() const { return rounds_; }
  void AddBarrier(uint64_t ticket);

  // No round is under way that a read which comes now could not join.
  bool CanStart(BootTime now) const {
    return (round_id_ == 0 && now >= not_before_) || SIM_MUTANT("read-joins-a-round-under-way");
  }
  BootTime NextStart() const { return round_id_ == 0 ? not_before_ : round_started_ + attempt_timeout_; }
  // The id of a new round, if something waits (or `probe`) and it may start.
  std::optional<uint64_t> Start(BootTime now, bool probe);

  void OnResult(BootTime now, const raft::ReadResult& result, LogIndex applied, Actions& actions);
  void OnApplied(BootTime now, LogIndex applied, Actions& actions);
  // A new leader or term: ask again at once.
  void OnLeaderChange();

  void Expire(BootTime now, bool leader_known, Actions& actions);
  BootTime NextDeadline() const;
  void FailAll(Actions& actions);

  // When a round last succeeded; nullopt: never.
  std::optional<BootTime> last_success() const { return last_success_; }

 private:
  struct Waiter {
    BootTime deadline;
    std::function<void(absl::Status)> done;
  };
  struct Confirmed {  // waits for its index to be applied
    std::vector<Waiter> waiters;
    uint64_t barrier = 0;
  };
  struct HeldWaiter {
    Waiter waiter;
    BootTime held_until;
  };
  BootTime NextRoundDeadline() const;
  void ReleaseHeld(LogIndex applied, Actions& actions);
  void ExpireHeld(BootTime now);
  void Retry(BootTime not_before);
  void Complete(BootTime now, Confirmed confirmed, Actions& actions);

  uint64_t next_id_;
  BootTime earliest_{Duration::max()};  // no deadline is before it
  Duration attempt_timeout_, retry_after_;
  size_t count_ = 0;

  std::vector<Waiter> waiting_;  // for the next round
  uint64_t waiting_barrier_ = 0;
  BootTime not_before_;

  uint64_t round_id_ = 0;  // 0: none under way
  BootTime round_started_;
  std::vector<Waiter> asked_;
  uint64_t asked_barrier_ = 0;

  std::multimap<LogIndex, HeldWaiter> held_;  // under a lease, by the pending index they wait for
  BootTime earliest_held_{Duration::max()};
  uint64_t rounds_ = 0;

  std::map<LogIndex, Confirmed> confirmed_;
  std::optional<BootTime> last_success_;
};

}  // namespace quorate::replica

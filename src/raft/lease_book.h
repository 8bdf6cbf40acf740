// What a leader knows of everybody's read leases (read-leases.md, "State" and LEADER): the echoes it holds,
// the rounds that a quorum confirmed, whom it granted what, and who may still hold something from a leader
// before it. Decides who must have an entry in memory before it is committed. Pure; lives as long as one
// leadership.
#pragma once

#include <deque>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "raft/messages.h"
#include "raft/types.h"

namespace quorate::raft {

class LeaseBook {
 public:
  struct Echo {
    BootTime at;  // by the holder's clock
    uint64_t incarnation = 0;
    BootTime received;  // by ours
  };
  struct Holder {
    std::optional<Echo> echo;  // the newest
    uint64_t incarnation = 0;  // of the newest answer; 0: none in this term yet
    LogIndex received;         // it has everything up to here in memory, pending where its readers see it
    BootTime granted_until = kLongAgo;  // by us, with T_wait
    bool potential = false;             // may hold a lease of a leader before us
    uint64_t seq = 1;                   // of grants; those up to a revoked one count no more
    bool revoking = false;
    bool gone = false;  // this incarnation said goodbye
    bool alarm = false;
    BootTime no_grant_before = kLongAgo;
    // Since when commitments wait for it to have `blocks_at`. That there is always one that does is no fault
    // of a far member under steady writes; that one and the same does for long is.
    std::optional<BootTime> blocks_since;
    LogIndex blocks_at;
    std::optional<BootTime> well_since, unwell_since;
    unsigned demotions = 0;
    std::optional<Echo> drift_from;
    int64_t drift_ppm = 0;  // its clock against ours, over the last kDriftWindow
  };

  // `wait_until`: until then a potential holder that does not answer counts as one.
  LeaseBook(BootTime wait_until, const std::set<MemberId>& potential_holders);

  // --- rounds ---
  void StartRound(uint64_t round, BootTime now, LogIndex commit);
  // All rounds up to `round` are confirmed. True: there is a later base for grants than before.
  bool Confirm(uint64_t round);
  // The latest confirmed round that echoes are kept for: grants are given from the echoes held when it began.
  struct Base {
    uint64_t round = 0;
    BootTime started;
    LogIndex commit;
    std::map<MemberId, Echo> echoes;
  };
  const std::optional<Base>& base() const { return base_; }

  // --- answers ---
  enum class Life : uint8_t { kSame, kNew, kDead };
  // kDead: the answer is of an earlier incarnation than known: it proves nothing. kNew: the process that
  // answered before is gone, and its lease and its memory with it.
  Life OnAnswer(MemberId from, uint64_t incarnation);
  void OnEcho(MemberId from, BootTime echo, BootTime now);
  void OnReceived(MemberId from, LogIndex received);
  void OnRevoked(MemberId from, const RevokeReply& reply);
  void OnGoodbye(MemberId from, uint64_t incarnation);

  // --- leases ---
  void Granted(MemberId to, BootTime until);
  // When the lease of `id` is provably dead: strictly after this.
  BootTime DeadlineOf(MemberId id) const;
  bool LeaseIsDead(MemberId id, BootTime now) const { return now > DeadlineOf(id); }

  struct Gate {
    LogIndex open;                 // entries up to here may be committed
    BootTime changes_at = kNever;  // a lease that holds it up is dead by then
  };
  // As far as the potential holders allow, at most `wanted`.
  Gate GateFor(LogIndex wanted, MemberId self, BootTime now);
  void NothingWaits();

  Holder& holder(MemberId id) { return holders_[id]; }
  const Holder* Find(MemberId id) const;
  BootTime wait_until() const { return wait_until_; }

 private:
  const BootTime wait_until_;
  std::map<MemberId, Holder> holders_;  // kept when a member leaves: its lease does not end with that
  std::deque<Base> rounds_;             // begun, not confirmed
  std::optional<Base> base_;
};

}  // namespace quorate::raft

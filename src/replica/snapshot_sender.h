// A leader's snapshot transfers (Raft 7) to followers that fell behind the log.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "replica/events.h"

namespace quorate::replica {

// What the sender goes by.
struct SnapshotTimes {
  Duration ask_after = std::chrono::milliseconds(500);  // for a chunk that is not acknowledged
  Duration stall_timeout = std::chrono::seconds(10);    // without progress the transfer is set aside ...
  Duration park_for = std::chrono::seconds(60);  // ... and for so long goes on from there if it is wanted
  Duration install_timeout = std::chrono::seconds(60);  // for the follower to put a whole snapshot in place
  uint64_t bytes_per_second = 0;                        // of all transfers together; 0: no limit
};

// One transfer per follower, limits::kSnapshotTransfersMax at a time; the others wait for their turn. A
// chunk that is not acknowledged is asked after, and sent again where it was lost. Only a new offset is
// progress: a follower that makes none for `stall_timeout` loses its turn, and after `park_for` more its
// snapshot, so that it cannot hold back the compaction of the log for ever. If it comes back before, it goes
// on from the offset that it has.
class SnapshotSender {
 public:
  SnapshotSender(MemberId self, uint64_t first_id, const SnapshotTimes& times)
      : self_(self), next_id_(first_id), times_(times) {}

  void Need(BootTime now, MemberId to, Actions& actions);
  // `configuration` as of event.index.
  void OnTaken(BootTime now, const SnapshotTaken& event, raft::Configuration configuration, Actions& actions);
  void OnRead(BootTime now, Term term, SnapshotRead event, Actions& actions);
  void OnReply(BootTime now, MemberId from, const raft::SnapshotChunkReply& reply, Actions& actions);
  // Sends what is due, ends what is overdue.
  void Expire(BootTime now, Term term, Actions& actions);
  BootTime NextDeadline() const;
  // No longer leading: forgets everything.
  void Abort(Actions& actions);
  // The log begins after `base` now: a snapshot that ends before it helps nobody.
  void OnLogCut(BootTime now, LogIndex base, Actions& actions);

  // Transfers that ended since the last call.
  std::vector<raft::SnapshotSent> TakeEnded() { return std::exchange(ended_, {}); }
  // The log after this index is still wanted by a transfer; nullopt: by none.
  std::optional<LogIndex> pinned() const;
  const SnapshotsSent& counts() const { return counts_; }

 private:
  struct Transfer {
    uint64_t id = 0;
    raft::SnapshotMeta meta;
    uint64_t offset = 0;  // of the chunk under way
    raft::Payload chunk;  // null while it is read
    bool due = false;     // the chunk is to be sent, as soon as the rate allows
    bool sent = false;    // it was, at least once
    bool asked = false;   // after it, since it was sent
    bool taken = false;
    BootTime due_since, asked_at;
    BootTime progress_at;  // the offset last grew
    BootTime tried_since;  // of this chunk, since progress or since the transfer was taken up again
  };
  using Transfers = std::map<MemberId, Transfer>;

  void AskAfter(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions);
  void SendDue(BootTime now, Term term, Actions& actions);
  void Send(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions);
  void StartNext(BootTime now, Actions& actions);
  void End(BootTime now, Transfers::iterator it, bool installed, Actions& actions);
  void Park(BootTime now, Transfers::iterator it, Actions& actions);
  void Forget(Transfers& transfers, Transfers::iterator it, Actions& actions);
  Transfer* Find(uint64_t id, MemberId* to);
  BootTime StallsAt(const Transfer& transfer) const;

  MemberId self_;
  uint64_t next_id_;
  SnapshotTimes times_;
  Transfers transfers_, parked_;
  std::deque<MemberId> waiting_;
  std::vector<raft::SnapshotSent> ended_;
  BootTime may_send_at_;  // by the rate
  SnapshotsSent counts_;
};

}  // namespace quorate::replica

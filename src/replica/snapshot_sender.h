// A leader's snapshot transfers (Raft 7) to followers that fell behind the log.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <optional>
#include <vector>

#include "replica/events.h"

namespace quorate::replica {

// One transfer per follower, limits::kSnapshotTransfersMax at a time; the others wait for their turn. A chunk
// is sent again until it is acknowledged; a follower that acknowledges nothing for `stall_timeout` loses the
// transfer, so it cannot hold back the compaction of the log for ever.
class SnapshotSender {
 public:
  SnapshotSender(MemberId self, uint64_t first_id, Duration resend_after, Duration stall_timeout)
      : self_(self), next_id_(first_id), resend_after_(resend_after), stall_timeout_(stall_timeout) {}

  void Need(BootTime now, MemberId to, Actions& actions);
  // `configuration` as of event.index.
  void OnTaken(BootTime now, const SnapshotTaken& event, raft::Configuration configuration, Actions& actions);
  void OnRead(BootTime now, Term term, SnapshotRead event, Actions& actions);
  void OnReply(BootTime now, MemberId from, const raft::SnapshotChunkReply& reply, Actions& actions);
  void Expire(BootTime now, Term term, Actions& actions);
  BootTime NextDeadline() const;
  // No longer leading: forgets everything.
  void Abort(Actions& actions);

  // Transfers that ended since the last call.
  std::vector<raft::SnapshotSent> TakeEnded() { return std::exchange(ended_, {}); }
  // The log after this index is still wanted by a transfer; nullopt: none under way.
  std::optional<LogIndex> pinned() const;

 private:
  struct Transfer {
    uint64_t id = 0;
    raft::SnapshotMeta meta;
    uint64_t offset = 0;  // of the chunk under way
    raft::Payload chunk;  // null while it is read
    BootTime sent_at, progress_at;
    bool taken = false;
  };
  void Send(BootTime now, Term term, MemberId to, Transfer& transfer, Actions& actions);
  void End(BootTime now, std::map<MemberId, Transfer>::iterator it, bool installed, Actions& actions);
  Transfer* Find(uint64_t id, MemberId* to);

  MemberId self_;
  uint64_t next_id_;
  Duration resend_after_, stall_timeout_;
  std::map<MemberId, Transfer> transfers_;
  std::deque<MemberId> waiting_;
  std::vector<raft::SnapshotSent> ended_;
};

}  // namespace quorate::replica

// What members say to each other. The core handles the first group; the replica driver keeps the second to
// itself.
#pragma once

#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "raft/types.h"

namespace quorate::raft {

// Raft 5.2; dissertation 9.6 (pre-vote), 3.10 (transfer: the voter ignores leader stickiness).
struct RequestVote {
  bool pre_vote = false;
  bool leadership_transfer = false;
  LogIndex last_index;
  Term last_term;
};
struct RequestVoteReply {
  bool pre_vote = false;
  bool granted = false;
  // How long ago the voter last answered a round (or, leading, started one), by its own clock; at most its
  // uptime. Every lease was confirmed by a quorum, which meets the quorum of votes: the new leader need not
  // wait longer than for the latest of these ("Faster failover").
  Duration since_round{0};
};

// What a follower may take of its leader's authority, counted by the follower's own clock (read-leases.md).
// `echo` is a reading of that clock which the leader held before a round that a quorum then confirmed: at
// that moment nobody else could have committed anything.
struct Stamp {
  BootTime echo;
  uint64_t incarnation = 0;  // whose echo: of this life of the follower only
  uint64_t seq = 0;          // above every revoked one
  LogIndex floor;            // whoever has not everything up to here has nothing of it
  Duration lease{0};         // T_grant; 0: no lease, only fresh as of `echo`
};

// Raft 5.3. Without entries it is a heartbeat or a probe.
struct AppendEntries {
  LogIndex prev_index;
  Term prev_term;
  std::vector<LogEntry> entries;
  LogIndex leader_commit;
  uint64_t round = 0;  // heartbeat round; never repeats within a term (ReadIndex, read leases)
  std::optional<Stamp> stamp;
};
// Sent twice where it helps: at once with `received`, and with `durable` once the log is synced.
struct AppendEntriesReply {
  bool matched = false;     // prev_index/prev_term was found
  LogIndex received;        // matched: verified up to here by that very message, held in memory
  LogIndex durable;         // matched: and synced up to here
  LogIndex conflict_index;  // not matched: the logs can agree only below this index ...
  Term conflict_term;       // ... and the last entry below it has this term here (0: there is none)
  uint64_t round = 0;       // of the request ...
  Term request_term;        // ... and its term: an answer to another term's round confirms nothing
  BootTime echo;            // the sender's own clock
  uint64_t incarnation = 0;
  bool alarm = false;  // its disk or its state machine does not keep up: no lease
  // From here on since message version 3.
  LogIndex applied;            // by its state machine, to where readers see it
  uint64_t repairs = 0;        // the instance whose data this one lost, see Knock
  uint64_t feature_level = 1;  // what its program can do
  bool disk_low = false;       // no leader, if another has room
};

// The leader takes a lease back. The answer says that no read is served by it any more, nor by any earlier
// one.
struct Revoke {
  uint64_t seq = 0;
};
struct RevokeReply {
  uint64_t seq = 0;
  uint64_t incarnation = 0;
};
// The sender stops for good: whatever lease this incarnation had is dead.
struct Goodbye {
  uint64_t incarnation = 0;
};

// Of one that hears no leader and cannot campaign: a learner, or a member whose data was lost. Whoever knows
// that it is not a member any more says so; the leader takes note of an instance that repairs the one it
// knew.
struct Knock {
  uint64_t repairs = 0;  // the instance that it was before it lost its data; 0: it lost none
};
// You are not a member any more. Ids are given once: it stays so.
struct Removed {
  // Not 0: the member with your id has another data directory than this one, which is yours.
  uint64_t stranger = 0;
};

struct TimeoutNow {};  // dissertation 3.10

// A follower asks its leader for a read index (dissertation 6.4). `id` is new for every attempt.
struct ReadIndexRequest {
  uint64_t id = 0;
};
struct ReadIndexReply {
  uint64_t id = 0;
  bool ok = false;  // false: not the leader, or no entry of its term committed yet
  LogIndex index;
};

// --- the driver's own ---

// A follower forwards a proposal. The reply says where the leader appended it; the follower learns the
// outcome by applying that index itself, and that it was lost by finding another term there.
struct ProposeRequest {
  uint64_t id = 0;
  Payload command;
};
struct ProposeReply {
  enum class Status : uint8_t { kAppended = 0, kNotLeader = 1, kQueueFull = 2 };
  uint64_t id = 0;
  Status status = Status::kNotLeader;
  LogIndex index;
  Term entry_term;
};

// InstallSnapshot (Raft 7), chunk by chunk, each acknowledged with the next offset wanted.
struct SnapshotChunk {
  SnapshotMeta meta;
  uint64_t snapshot_id = 0;  // new for every snapshot taken
  uint64_t offset = 0;
  Payload data;
  uint32_t crc = 0;  // crc32c of data
  bool done = false;
};
struct SnapshotChunkReply {
  uint64_t snapshot_id = 0;
  uint64_t next_offset = 0;
  bool installed = false;
  bool refused = false;  // stale, or damaged: start anew
};

struct Message {
  MemberId from, to;
  Term term;  // the sender's current term; of a pre-vote request, and of a pre-vote granted, the term asked
              // for
  std::variant<RequestVote, RequestVoteReply, AppendEntries, AppendEntriesReply, TimeoutNow, ReadIndexRequest,
               ReadIndexReply, ProposeRequest, ProposeReply, SnapshotChunk, SnapshotChunkReply, Revoke,
               RevokeReply, Goodbye, Knock, Removed>
      body;
  uint64_t instance = 0;  // the sender's data directory; 0: it does not say
};

}  // namespace quorate::raft

// What members say to each other. The core handles the first group; the replica driver keeps the second to
// itself.
#pragma once

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
};

// Raft 5.3. Without entries it is a heartbeat or a probe.
struct AppendEntries {
  LogIndex prev_index;
  Term prev_term;
  std::vector<LogEntry> entries;
  LogIndex leader_commit;
  uint64_t round = 0;  // heartbeat round; never repeats within a term (ReadIndex, read leases)
};
// Sent twice where it helps: at once with `received`, and with `durable` once the log is synced.
struct AppendEntriesReply {
  bool matched = false;     // prev_index/prev_term was found
  LogIndex received;        // matched: verified up to here by that very message, held in memory
  LogIndex durable;         // matched: and synced up to here
  LogIndex conflict_index;  // not matched: the logs can agree only below this index ...
  Term conflict_term;       // ... and the last entry below it has this term here (0: there is none)
  uint64_t round = 0;       // of the request
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
               ReadIndexReply, ProposeRequest, ProposeReply, SnapshotChunk, SnapshotChunkReply>
      body;
};

}  // namespace quorate::raft

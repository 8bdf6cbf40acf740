// The nouns of Raft (Ongaro & Ousterhout 2014, Figure 2; Ongaro's dissertation).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"

namespace quorate::raft {

// Immutable and shared: one copy serves the log, the disk and every message.
using Payload = std::shared_ptr<const std::string>;

enum class EntryType : uint8_t { kNoOp = 0, kCommand = 1, kConfiguration = 2 };

struct LogEntry {
  LogIndex index;
  Term term;
  EntryType type = EntryType::kNoOp;
  Payload payload;  // null for a no-op

  size_t bytes() const { return payload ? payload->size() : 0; }
};

// Must be durable before any message that follows from it leaves (Raft 5.1).
struct HardState {
  Term current_term;
  MemberId voted_for;  // 0: nobody in current_term
  bool operator==(const HardState&) const = default;
};

struct Member {
  MemberId id;
  bool voter = true;
  bool lease_eligible = true;  // may be granted a read lease (design note read-leases)
  std::string address;         // of its peer transport, host:port
  bool operator==(const Member&) const = default;
};

// Who takes part. In a joint configuration (Raft 6) `outgoing_voters` is the old half and `members` says the
// new one; elections and commitment need a majority of each half, counted apart.
struct Configuration {
  std::vector<Member> members;            // ordered by id
  std::vector<MemberId> outgoing_voters;  // empty: not joint
  bool operator==(const Configuration&) const = default;
};

// What a snapshot covers.
struct SnapshotMeta {
  LogIndex last_index;
  Term last_term;
  Configuration configuration;
  bool operator==(const SnapshotMeta&) const = default;
};

}  // namespace quorate::raft

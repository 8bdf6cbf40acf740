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
  bool lease_barred = false;   // an operator's word: the leader does not make it eligible by itself
  bool promote = false;        // a learner that the leader makes a voter once it has caught up ...
  MemberId replaces;           // ... and this member leaves in the same step; 0: nobody does
  bool leaving = false;        // without a vote in the new half, and gone once the change is complete
  // It lost its log, and may have acknowledged what it no longer has: a voter whose votes and
  // acknowledgements count for nothing until it has caught up.
  bool repairing = false;
  uint64_t instance = 0;  // which data directory is this member; 0: not written down yet
  std::string address;    // of its peer transport, host:port
  bool operator==(const Member&) const = default;
};

// The times of a group, the same at every member: replicated with the configuration (read-leases.md,
// "Presets"). All zero: a group without read leases, whose members use what their CoreConfig says.
struct Timing {
  Duration heartbeat{0};
  Duration election_min{0}, election_max{0};  // Raft 5.2: random in [min, max)
  Duration lease{0};         // T_grant: how long a read lease lasts, counted from its holder's echo
  Duration lease_wait{0};    // T_wait: what a leader waits for a lease that it cannot prove dead
  Duration lease_wanted{0};  // what `lease` shall become; the leader gets there in safe steps
  Duration ack_late{0};      // D: a holder with an older unacknowledged append gets no new lease
  Duration hold{0};          // a query waits at most so long for a pending change that touches it
  bool operator==(const Timing&) const = default;
};
Timing LanTiming();
Timing WanTiming();
// Clock rates of two members differ by at most kRho; whoever waits out a lease of length T counted by another
// clock waits T (1 + rho) / (1 - rho), and 2 ms for rounding.
inline constexpr int64_t kRhoPercent = 11;
Duration LeaseWaitFor(Duration lease);
inline constexpr Duration kLeaseMax = std::chrono::minutes(10);
// As a file or a person may give them; empty: fine. Else what is wrong.
std::string WhyUnsound(const Timing& timing);

// What this program can do, at most. 1: before there were membership changes; 2: before UPDATE and transfers.
inline constexpr uint64_t kFeatureLevel = 3;

// Who takes part. In a joint configuration (Raft 6) `outgoing_voters` is the old half and `members` says the
// new one; elections and commitment need a majority of each half, counted apart. Whoever is in one half only
// is listed in `members` too.
struct Configuration {
  std::vector<Member> members;            // ordered by id
  std::vector<MemberId> outgoing_voters;  // empty: not joint
  Timing timing;
  // The operator's switch. Off: nobody is eligible, and the leader makes nobody so; reads use ReadIndex.
  bool leases_on = false;
  // What every member can do; it only grows. Membership changes, and instances, need 2.
  uint64_t feature_level = 1;
  MemberId last_id;  // the highest id ever given: a lower one that is not listed was removed, for ever
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

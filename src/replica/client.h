// How a door (UPDATE, HTTP, etcd, CLI) speaks to its replica.
#pragma once

#include <functional>
#include <string>
#include <utility>
#include <variant>

#include "absl/status/status.h"
#include "base/consistency.h"
#include "raft/core.h"
#include "rsm/api.h"

namespace quorate::replica {

// Why a command was certainly not applied. Retry is safe.
// kDiskLow: this replica's disk is nearly full and the command grows the state; another one may take it.
// kFeatureLevel: some members still run a program that does not know such commands.
enum class Refusal : uint8_t { kNoLeader, kQueueFull, kTooLarge, kStopping, kDiskLow, kFeatureLevel };

struct Decided {  // the command was applied at this replica; the outcome may still be a refusal by the state
                  // machine
  LogIndex index;
  rsm::Outcome outcome;
};
struct NotProposed {
  Refusal why;
};
struct OutcomeUnknown {
};  // timed out, or leadership was lost on the way: a retry is safe only with the same session

using ProposeOutcome = std::variant<Decided, NotProposed, OutcomeUnknown>;

// What an operator may change in the group's configuration.
struct SetLeases {
  bool on = true;
};
struct SetTiming {
  raft::Timing timing;  // lease_wanted says how long leases shall last; the leader gets there in safe steps
};
struct SetEligible {
  MemberId member;
  bool eligible = true;
};
// A new member: a learner, until it has caught up if `promote`. Its id is the next one never given; look it
// up by its address. With `replaces` that member goes in the very step in which the new one gets its vote.
struct AddMember {
  std::string address;  // of its peer transport, host:port
  bool promote = true;
  MemberId replaces;      // 0: nobody
  uint64_t instance = 0;  // its data directory, if known already
};
struct RemoveMember {
  MemberId member;
  bool force = false;  // also where the voters that are left and answer are no majority
};
// A learner becomes a voter as soon as it has caught up.
struct PromoteMember {
  MemberId member;
};
// A voter becomes a learner.
struct DemoteMember {
  MemberId member;
  bool force = false;
};
using ConfigurationChange =
    std::variant<SetLeases, SetTiming, SetEligible, AddMember, RemoveMember, PromoteMember, DemoteMember>;

// Since the process started.
struct SnapshotsSent {
  uint64_t installed = 0, failed = 0;   // transfers that ended, one way or the other
  uint64_t set_aside = 0, resumed = 0;  // for lack of progress; and taken up again
  uint64_t bytes = 0;                   // with all that was sent again
};
struct SnapshotsReceived {
  uint64_t installed = 0;
  uint64_t refused = 0;  // chunks or whole snapshots that were not what their sender said
  uint64_t bytes = 0;    // written
};

struct GroupStatus {
  raft::Status raft;
  GroupId group;
  uint64_t state_hash = 0;
  LogIndex state_hash_at;
  bool can_read = false;     // it holds a read lease, or a ReadIndex round succeeded within the last second
  uint64_t read_rounds = 0;  // ReadIndex rounds that this replica has asked for
  // The newest that is in the log here: what a dated idempotency key is made with. Behind that of the next
  // command by what passed since the last one.
  Duration group_time{0};
  SnapshotsSent snapshots_sent;
  SnapshotsReceived snapshots_received;
};

class Client {
 public:
  virtual ~Client() = default;

  // Appends `command` at the leader, forwarding where needed. `done` is called exactly once, from any thread,
  // at the latest after `timeout`; it must not block. Any thread; never blocks.
  virtual void Propose(std::string command, Duration timeout, std::function<void(ProposeOutcome)> done) = 0;

  // Calls `done(OK)` once this replica has applied everything that was committed anywhere when Read was
  // called. Under a read lease that takes no message, and `done` may be called before Read returns; without
  // one, or when what is pending takes longer than the group's hold time, by ReadIndex (dissertation 6.4).
  // kUnavailable: no leader; kDeadlineExceeded; kResourceExhausted: too many waiting.
  // Where `consistency` allows it also otherwise (promise P5): kLocal at once, on the caller's thread;
  // kBounded after trying for half the timeout and a second at most, if what is applied here was all that was
  // committed at some moment within the bound.
  virtual void Read(Consistency consistency, Duration timeout, std::function<void(absl::Status)> done) = 0;
  void Read(Duration timeout, std::function<void(absl::Status)> done) {
    Read(Consistency{}, timeout, std::move(done));
  }

  virtual void TransferLeadership(MemberId to, std::function<void(absl::Status)> done) = 0;

  // Of the leader only (kFailedPrecondition says who that is). OK: complete; only catching up, and what waits
  // for it, goes on. kInvalidArgument: unsound. kNotFound: no such member. kAlreadyExists: it is so already.
  // kAborted: so few of the voters would answer that the group could decide nothing; the message says who
  // does not; with `force` it is tried nevertheless. kUnavailable: another change is under way, or the
  // feature level too low: try again. kUnknown: it may or may not come into force.
  virtual void Configure(ConfigurationChange change, Duration timeout,
                         std::function<void(absl::Status)> done) = 0;

  virtual GroupStatus Status() const = 0;
};

}  // namespace quorate::replica

// The consensus core: Step(now, input) -> Effects. Pure: no clock, thread, randomness, I/O or logging inside,
// so the product and the simulator run the same code. One thread at a time.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "raft/messages.h"
#include "raft/types.h"

namespace quorate::raft {

struct CoreConfig {
  MemberId self;
  uint64_t seed = 1;  // of the randomized election timeouts
  // Of this start of the process: above that of any earlier one, durably (storage/data_directory.h).
  uint64_t incarnation = 1;
  // Which data directory this is, drawn when it was made (storage/data_directory.h); 0: none of the group
  // need care. `repairs`: the instance that it was when it lost its log. Then it neither votes nor campaigns
  // until a configuration in its log lists it anew.
  uint64_t instance = 0;
  uint64_t repairs = 0;
  uint64_t feature_level = kFeatureLevel;
  // Where the group's configuration has a Timing, that counts instead of these three.
  Duration heartbeat_interval = std::chrono::milliseconds(50);
  Duration election_timeout_min = std::chrono::milliseconds(150);  // Raft 5.2: random in [min, max)
  Duration election_timeout_max = std::chrono::milliseconds(300);
  // What a group begins with whose configuration has no Timing yet: its first leader puts it there. Members
  // that were told different times would otherwise count leases differently. All zero: no leases.
  Timing initial_timing;
  bool initial_leases = true;
  size_t append_bytes_max = 0;       // 0: limits.h
  size_t inflight_messages_max = 0;  // 0: limits.h
  size_t inflight_bytes_max = 0;     // 0: limits.h
  size_t uncommitted_bytes_max = 0;  // 0: limits.h
  // A leader whose own disk finished nothing for so long gives up, and a voter does not campaign. Far above
  // any healthy fsync; 0: never.
  Duration disk_stall_max = std::chrono::seconds(3);
};

// What was found on disk, made consistent by the driver: the applied state may be ahead of the log's last
// sync. A log that ends before `applied`, or has another term there, is stale beyond repair: it is given (and
// stored) as no entries after a base at `applied`.
struct Restored {
  HardState hard_state;
  SnapshotMeta base;  // log begins after base.last_index; its configuration counts until the log has one
  std::vector<LogEntry> entries;  // contiguous, from base.last_index + 1; all durable
  LogIndex applied;               // the state machine already has everything up to here
};

// --- inputs ---
struct Tick {};  // time passed; call at least every heartbeat_interval / 2
struct Receive {
  Message message;
};  // validated by the transport; may still be stale, repeated or out of order
struct Proposal {
  uint64_t tag = 0;
  EntryType type = EntryType::kCommand;
  // A configuration is the one to reach, not joint: the core appends the steps to it (membership.cc).
  Payload payload;
};
struct Propose {
  std::vector<Proposal> proposals;
};  // appended as one batch, each answered by its tag
// Effects::append up to `index` is synced. `term` is Core::term() right after the Step that returned it (not
// the entry's own): it tells this append from another of the same index before a truncation. Of an install:
// what Effects::when_durable said. Simplest: always hand that back. Reported in the order of the Effects; of
// several written by one sync the last is enough.
struct LogDurable {
  Term term;
  LogIndex index;
};
struct Applied {
  LogIndex index;
};
struct ReadRequest {
  uint64_t id = 0;
};  // id is new for every attempt
struct TransferLeadership {
  MemberId to;
};  // 0: the most caught-up voter
struct Compacted {
  LogIndex through;
};  // the driver cut the log; entries up to here may be forgotten
struct SnapshotReceived {
  MemberId from;
  Term term;
  SnapshotMeta meta;
};  // complete, verified, not yet installed
struct SnapshotSent {
  MemberId to;
  bool installed = false;
  LogIndex last_index;
};  // the driver's transfer ended

struct DiskSpace {
  bool low = false;
};                // said to the leader; what it means is for the driver to decide
struct Leave {};  // the process stops: no more reads by lease here, and everybody is told

using Input = std::variant<Tick, Receive, Propose, LogDurable, Applied, ReadRequest, TransferLeadership,
                           Compacted, SnapshotReceived, SnapshotSent, DiskSpace, Leave>;

// --- effects: what must be done, in this order ---
// kQueueFull: too many uncommitted bytes; or for a configuration, that another change is not complete.
enum class ProposeFault : uint8_t { kNotLeader, kQueueFull, kTransferring };
struct ProposeResult {
  uint64_t tag = 0;
  std::optional<ProposeFault>
      fault;  // none: appended at (index, term); committed only if it is applied there
  LogIndex index;
  Term term;
};
struct ReadResult {
  uint64_t id = 0;
  bool ok =
      false;  // false: no leader known, leadership lost, or too early in the term. Try again with a new id.
  LogIndex index;  // ok: reads at applied >= index are linearizable
};

// Why this process is no member of its group any more.
enum class Dismissal : uint8_t {
  kRemoved,   // by an operator
  kStranger,  // the member with this id has another data directory
  kTooOld,    // the group has a feature level that this program has not
};

struct Effects {
  std::optional<HardState> hard_state;  // durable with `append` (and `install`) in one synced batch
  std::optional<SnapshotMeta>
      install;                   // replace state and log by the snapshot received: log restarts after it
  bool keep_log_suffix = false;  // with install: entries after it agree and stay (Raft 7, rule 6)
  std::vector<LogEntry> append;  // replaces any suffix from append.front().index on
  std::vector<Message>
      send_now;  // a leader's AppendEntries goes out beside its own disk (dissertation 10.2.1)
  // Votes, vote requests and append acknowledgements: once the writes of this Effects and of every earlier
  // one are synced, also when this one has none.
  std::vector<Message> send_after_durable;
  // With `append` or `install`: the input to give back once it is synced. An answer sent before that claims
  // nothing of the snapshot to be durable.
  std::optional<LogDurable> when_durable;
  std::vector<LogEntry> committed;  // apply in order; contiguous with the last ones given
  std::vector<ProposeResult> proposed;
  std::vector<ReadResult> reads;
  // Once, for ever: no vote, no answer and no lease comes from here any more.
  std::optional<Dismissal> dismissed;
  std::vector<MemberId> need_snapshot;  // these fell behind the log: send them a snapshot, then SnapshotSent
};

enum class Role : uint8_t { kFollower, kPreCandidate, kCandidate, kLeader };

// Whether a member is being granted a read lease, or the first reason why not.
enum class LeaseState : uint8_t {
  kHolder,
  kOff,                   // the group has no leases
  kNotEligible,           // by the configuration
  kConfigurationPending,  // nobody gets one while a change is not committed
  kSilent,                // does not answer
  kLeft,                  // said goodbye
  kRevoked,               // held up commitments; for a while
  kAlarm,                 // its disk or state machine does not keep up
  kDrift,                 // its clock's rate is too far from the leader's
  kBehind,                // not everything that is committed was sent to it
  kLate,                  // an append is unacknowledged for too long
};

struct PeerStatus {
  MemberId id;
  LogIndex match, next;
  enum class State : uint8_t { kProbe, kReplicate, kSnapshot } state = State::kProbe;
  bool recent = false;  // answered within the last election timeout
  LogIndex received;    // in memory there, as far as this term knows
  LeaseState lease = LeaseState::kOff;
  Duration lease_left{0};  // until it is surely dead, by this clock; 0: it is
  int64_t drift_ppm = 0;   // of its clock against this one
  LogIndex applied;        // there, as it said last
  uint64_t feature_level = 1;
  bool disk_low = false;
  bool caught_up = false;  // it keeps up: an election timeout behind at most
};
struct Status {
  MemberId self, leader;  // leader 0: none known
  Role role = Role::kFollower;
  HardState hard_state;
  LogIndex first, last, commit, applied, durable;  // first: oldest index still in the log
  Configuration configuration;                     // the latest in the log, committed or not
  LogIndex configuration_index;                    // where it stands
  std::vector<PeerStatus> peers;                   // filled by a leader
  MemberId transferring_to;                        // 0: none
  Duration lease_left{0};                          // of this member's own read lease; 0: it has none
  LeaseState lease = LeaseState::kOff;             // of a leader: its own
  uint64_t refused_messages = 0;                   // malformed, or claiming what cannot be
  // Messages that prove, if they are genuine, that Raft was broken: a second leader of one term, or another
  // entry where one is committed. They are ignored; anything but 0 is a defect or an attack.
  uint64_t rival_leaders = 0;
};

class Core {
 public:
  Core(const CoreConfig& config, Restored restored, BootTime now);
  ~Core();
  Core(Core&&) noexcept;

  Effects Step(BootTime now, const Input& input);

  // Reads may be served from memory, but for what is pending, while this member's clock is below it. It may
  // fall with any Step: what sends this Step's messages must know the new value first.
  BootTime lease_until() const;
  // Everything committed anywhere by then, by this member's clock, is applied here.
  BootTime fresh_as_of() const;
  Timing timing() const;

  // When the next Tick is due at the latest.
  BootTime NextTick() const;

  Role role() const;
  Term term() const;
  MemberId leader() const;
  LogIndex commit_index() const;
  Status GetStatus() const;
  // The term of an entry still in the log (or of its base); nullopt outside. For the driver and the checkers.
  std::optional<Term> TermAt(LogIndex index) const;
  // Of the latest configuration in the log, committed or not.
  LogIndex configuration_index() const;
  // The configuration as of an applied index, for a snapshot's meta.
  Configuration ConfigurationAt(LogIndex index) const;
  size_t log_bytes() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace quorate::raft

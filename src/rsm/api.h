// A replicated state machine, as the replica driver sees it. Apply is a deterministic function of state and
// entry.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/types.h"
#include "kv/ordered_map.h"

namespace quorate::rsm {

// What must not differ between replicas, put into every command's entry by the leader that appends it.
struct Stamp {
  Duration group_time{
      0};  // the last logged value plus the leader's own BOOTTIME since its election; never goes back
  WallTime wall_time;  // for people, SOA policies and TSIG; may jump
};
// payload of a command entry := group_time:u64le wall_time:u64le command
std::string StampCommand(const Stamp& stamp, std::string_view command);
// nullopt: shorter than a stamp.
struct StampedCommand {
  Stamp stamp;
  std::string_view command;
};
std::optional<StampedCommand> ParseStamped(std::string_view payload);

struct Entry {
  LogIndex index;
  Term term;
  bool is_command = false;   // false: a no-op or a configuration; only the applied index moves
  std::string_view payload;  // of a command: stamped
};

// The published view, as consensus fills it: what is in the log here and not yet applied. The other half,
// what is applied, the state machine publishes itself; both end in the same version (zone/view.h). Raft
// thread only. On return readers see it: a lease that covers an entry, and its acknowledgement, come after
// this.
class PendingView {
 public:
  virtual ~PendingView() = default;
  // These are in the log now; contiguous with what was there.
  virtual void Append(std::span<const Entry> entries) = 0;
  // What is at or above `from` is in the log no more.
  virtual void TruncateFrom(LogIndex from) = 0;
  // A state as of `through` is being put in place of this one: until it is, every answer waits for it.
  virtual void Installing(LogIndex through) = 0;
};

// How far a state is.
struct AppliedAt {
  LogIndex index;
  Term term;
  Duration group_time{0};
  uint64_t hash = 0;
};

// The outcome of a command, as its door decodes it (rsm/outcome.h).
using Outcome = std::string;

class StateMachine {
 public:
  virtual ~StateMachine() = default;
  // One thread. Entries come in order, without gaps. A malformed command is an outcome ("refused"), never a
  // crash. What it changed is visible to readers on return (published), and is in the map in one batch with
  // the index.
  virtual Outcome Apply(const Entry& entry) = 0;
  virtual LogIndex applied_index() const = 0;
  virtual Term applied_term() const = 0;
  // The last group time that was applied.
  virtual Duration group_time() const = 0;
  // The state under it was replaced (start, snapshot): rebuild every view from the map and publish.
  virtual void Reload() = 0;
  // A hash over everything applied so far; equal indices have equal hashes on all replicas.
  virtual uint64_t state_hash() const = 0;
  // The same of a state in another map, which may hold anything. nullopt: no state of ours. Any thread.
  virtual std::optional<AppliedAt> AppliedIn(const kv::MapReader& map) const = 0;
};

}  // namespace quorate::rsm

// Changes of the group's configuration that an operator asks for, one at a time, at the leader.
#pragma once

#include <functional>
#include <optional>

#include "absl/status/statusor.h"
#include "replica/events.h"

namespace quorate::replica {

// No change of the members is on its way.
bool IsComplete(const raft::Configuration& configuration);

// The configuration that `change` makes of `now`, which is complete. Errors as Client::Configure.
absl::StatusOr<raft::Configuration> Changed(raft::Configuration now, const ConfigurationChange& change);

// kAborted: of the voters of `next` too few have answered lately, by what the leader knows.
absl::Status WouldLoseQuorum(const raft::Status& leader, const raft::Configuration& next);

// One change under way.
class PendingConfigure {
 public:
  bool busy() const { return call_.has_value(); }
  void Begin(BootTime now, ConfigureCall call) {
    deadline_ = now + call.timeout;
    call_ = std::move(call);
  }
  void Appended(LogIndex index, Term term) { index_ = index, term_ = term; }
  // Answers when it is committed, lost or late.
  void Check(BootTime now, const raft::Core& core, Actions& actions);
  void Finish(absl::Status status, Actions& actions);
  BootTime NextDeadline() const { return call_ ? deadline_ : BootTime{Duration::max()}; }

 private:
  std::optional<ConfigureCall> call_;
  BootTime deadline_;
  LogIndex index_;
  Term term_;
};

}  // namespace quorate::replica

#include "replica/configure.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/overloaded.h"

namespace quorate::replica {
namespace {

absl::Status Apply(const SetLeases& set, raft::Configuration& c) {
  if (set.on && c.timing == raft::Timing{})
    return absl::InvalidArgumentError("the group has no times for leases yet: set a preset first");
  c.leases_on = set.on;
  for (raft::Member& m : c.members) m.lease_eligible = set.on && !m.lease_barred;
  return absl::OkStatus();
}

absl::Status Apply(const SetTiming& set, raft::Configuration& c) {
  raft::Timing next = set.timing;
  next.lease = c.timing.lease;
  next.lease_wait = std::max(c.timing.lease_wait, raft::LeaseWaitFor(next.lease));
  if (std::string why = raft::WhyUnsound(next); !why.empty()) return absl::InvalidArgumentError(why);
  c.timing = next;
  return absl::OkStatus();
}

absl::Status Apply(const SetEligible& set, raft::Configuration& c) {
  const auto m = std::find_if(c.members.begin(), c.members.end(),
                              [&](const raft::Member& member) { return member.id == set.member; });
  if (m == c.members.end())
    return absl::InvalidArgumentError("the group has no member " + std::to_string(set.member.value));
  m->lease_eligible = set.eligible && c.leases_on;
  m->lease_barred = !set.eligible;
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<raft::Configuration> Changed(raft::Configuration now, const ConfigurationChange& change) {
  const absl::Status status = std::visit([&](const auto& set) { return Apply(set, now); }, change);
  if (!status.ok()) return status;
  return now;
}

void PendingConfigure::Check(BootTime now, const raft::Core& core, Actions& actions) {
  if (!call_) return;
  const bool decided = core.commit_index() >= index_;
  if (decided && core.TermAt(index_) == term_) return Finish(absl::OkStatus(), actions);
  if (decided || (core.role() != raft::Role::kLeader && core.term() > term_ && now >= deadline_))
    return Finish(absl::UnknownError("leadership changed meanwhile: look whether it came into force"),
                  actions);
  if (now >= deadline_)
    Finish(absl::UnknownError("the change is not committed yet: look whether it came into force"), actions);
}

void PendingConfigure::Finish(absl::Status status, Actions& actions) {
  if (!call_) return;
  actions.completions.push_back([done = std::move(call_->done), status] { done(status); });
  call_.reset();
}

}  // namespace quorate::replica

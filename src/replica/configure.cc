#include "replica/configure.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/limits.h"
#include "base/sim_hooks.h"

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

std::string Name(MemberId id) { return "member " + std::to_string(id.value); }

absl::StatusOr<raft::Member*> Listed(raft::Configuration& c, MemberId id) {
  const auto m = std::ranges::find(c.members, id, &raft::Member::id);
  if (m != c.members.end()) return &*m;
  const bool was = id <= c.last_id;
  return absl::NotFoundError("the group has no " + Name(id) + (was ? ": it was removed" : ""));
}

bool IsLastVoter(const raft::Configuration& c, const raft::Member& member) {
  return member.voter && std::ranges::count_if(c.members, &raft::Member::voter) == 1;
}

absl::Status CheckNew(const AddMember& add, raft::Configuration& c) {
  if (add.address.empty() || add.address.size() > limits::kAddressBytesMax)
    return absl::InvalidArgumentError("a member needs the address of its peer port, host:port");
  if (c.members.size() >= limits::kMembersMax)
    return absl::InvalidArgumentError("a group has " + std::to_string(limits::kMembersMax) +
                                      " members at most");
  for (const raft::Member& m : c.members) {
    if (m.address == add.address && m.id != add.replaces)
      return absl::AlreadyExistsError(Name(m.id) + " is at " + add.address);
    if (add.instance != 0 && m.instance == add.instance)
      return absl::AlreadyExistsError("that data directory is " + Name(m.id));
    if (add.replaces && m.replaces == add.replaces)
      return absl::AlreadyExistsError(Name(m.id) + " replaces " + Name(add.replaces) + " already");
  }
  if (!add.replaces) return absl::OkStatus();
  const auto old = Listed(c, add.replaces);
  if (!old.ok()) return old.status();
  if (!(*old)->voter)
    return absl::InvalidArgumentError(Name(add.replaces) + " is a learner: remove it instead");
  return absl::OkStatus();
}

absl::Status Apply(const AddMember& add, raft::Configuration& c) {
  if (absl::Status status = CheckNew(add, c); !status.ok()) return status;
  c.last_id = std::max(SIM_MUTANT("id-given-twice") ? MemberId{} : c.last_id, c.members.back().id) + 1;
  c.members.push_back({.id = c.last_id,
                       .voter = false,
                       .lease_eligible = false,
                       .promote = add.promote || add.replaces,
                       .replaces = add.replaces,
                       .instance = add.instance,
                       .address = add.address});
  return absl::OkStatus();
}

absl::Status Apply(const RemoveMember& remove, raft::Configuration& c) {
  const auto member = Listed(c, remove.member);
  if (!member.ok()) return member.status();
  if (IsLastVoter(c, **member))
    return absl::InvalidArgumentError(Name(remove.member) +
                                      " is the last voter: a group cannot be without one");
  std::erase_if(c.members, [&](const raft::Member& m) { return m.id == remove.member; });
  for (raft::Member& m : c.members)
    if (m.replaces == remove.member) m.replaces = {};
  return absl::OkStatus();
}

absl::Status Apply(const PromoteMember& promote, raft::Configuration& c) {
  const auto member = Listed(c, promote.member);
  if (!member.ok()) return member.status();
  if ((*member)->voter) return absl::AlreadyExistsError(Name(promote.member) + " is a voter already");
  (*member)->promote = true;
  return absl::OkStatus();
}

absl::Status Apply(const DemoteMember& demote, raft::Configuration& c) {
  const auto member = Listed(c, demote.member);
  if (!member.ok()) return member.status();
  raft::Member& m = **member;
  if (!m.voter && !m.promote) return absl::AlreadyExistsError(Name(demote.member) + " is a learner already");
  if (IsLastVoter(c, m))
    return absl::InvalidArgumentError(Name(demote.member) +
                                      " is the last voter: a group cannot be without one");
  m.voter = m.promote = false;
  m.replaces = {};
  return absl::OkStatus();
}

template <class T>
constexpr bool kChangesMembers = std::is_same_v<T, AddMember> || std::is_same_v<T, RemoveMember> ||
                                 std::is_same_v<T, PromoteMember> || std::is_same_v<T, DemoteMember>;

}  // namespace

bool IsComplete(const raft::Configuration& c) {
  return c.outgoing_voters.empty() && std::ranges::none_of(c.members, &raft::Member::leaving);
}

absl::StatusOr<raft::Configuration> Changed(raft::Configuration now, const ConfigurationChange& change) {
  const bool members =
      std::visit([](const auto& set) { return kChangesMembers<std::decay_t<decltype(set)>>; }, change);
  if (members && now.feature_level < 2)
    return absl::UnavailableError(
        "the group's feature level is 1: members change once all of them run a program that can do that");
  const absl::Status status = std::visit([&](const auto& set) { return Apply(set, now); }, change);
  if (!status.ok()) return status;
  return now;
}

absl::Status WouldLoseQuorum(const raft::Status& leader, const raft::Configuration& next) {
  size_t voters = 0, answer = 0;
  std::string silent;
  for (const raft::Member& m : next.members) {
    if (!m.voter) continue;
    ++voters;
    const auto peer = std::ranges::find(leader.peers, m.id, &raft::PeerStatus::id);
    const bool answers = m.id == leader.self || (peer != leader.peers.end() && peer->recent);
    if (answers && !m.repairing) {
      ++answer;
    } else {
      silent += (silent.empty() ? "" : ", ") + Name(m.id);
    }
  }
  if (answer > voters / 2) return absl::OkStatus();
  return absl::AbortedError("of the " + std::to_string(voters) + " voters that would be left only " +
                            std::to_string(answer) + " can be counted on, which is no majority: " + silent +
                            " does not answer or is being repaired");
}

void PendingConfigure::Check(BootTime now, const raft::Core& core, Actions& actions) {
  if (!call_) return;
  const bool decided = core.commit_index() >= index_;
  const bool lost = decided && core.TermAt(index_) != term_;
  if (decided && !lost && IsComplete(core.ConfigurationAt(core.commit_index())))
    return Finish(absl::OkStatus(), actions);
  if (lost || (core.role() != raft::Role::kLeader && core.term() > term_ && now >= deadline_))
    return Finish(absl::UnknownError("leadership changed meanwhile: look whether it came into force"),
                  actions);
  if (now >= deadline_)
    Finish(absl::UnknownError("the change is not complete yet: look whether it came into force"), actions);
}

void PendingConfigure::Finish(absl::Status status, Actions& actions) {
  if (!call_) return;
  actions.completions.push_back([done = std::move(call_->done), status] { done(status); });
  call_.reset();
}

}  // namespace quorate::replica

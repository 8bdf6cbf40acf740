#include "sim/operator.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/sim_hooks.h"
#include "raft/quorum.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;

constexpr Duration kLookEvery = milliseconds(50);
constexpr size_t kMembersWanted = 6;

size_t Voters(const raft::Configuration& c) {
  return static_cast<size_t>(std::ranges::count_if(c.members, &raft::Member::voter));
}

bool Complete(const raft::Configuration& c) {
  return c.outgoing_voters.empty() && std::ranges::none_of(c.members, &raft::Member::leaving);
}

bool IsCommitted(const raft::Core& core) { return core.configuration_index() <= core.commit_index(); }

}  // namespace

void Operator::Start() {
  world_.After(kLookEvery, [this] {
    Look();
    Start();
  });
}

// --- what it sees ---

SimReplica* Operator::Find(MemberId id) const {
  return id.value <= machines_.size() ? machines_[id.value - 1].get() : nullptr;
}

SimReplica* Operator::Leader() const {
  SimReplica* leader = nullptr;
  for (const auto& machine : machines_) {
    if (!machine->running() || machine->core().role() != raft::Role::kLeader) continue;
    if (!leader || machine->core().term() > leader->core().term()) leader = machine.get();
  }
  return leader;
}

std::optional<raft::Configuration> Operator::Group() const {
  const SimReplica* leader = Leader();
  if (!leader) return std::nullopt;
  return leader->core().GetStatus().configuration;
}

// It makes no majority, now or for ever.
bool Operator::Damaged(const raft::Configuration& c, const raft::Member& member) const {
  const SimReplica* machine = Find(member.id);
  if (!machine) return true;
  const bool other = member.instance != machine->instance();
  return machine->gone() || machine->wiped() || machine->lost() || member.repairing ||
         (other && c.feature_level >= 2) || (other && machine->repairs() != 0);
}

bool Operator::AnyVoterDamaged(const raft::Configuration& c) const {
  return std::ranges::any_of(c.members,
                             [&](const raft::Member& m) { return raft::IsVoter(c, m.id) && Damaged(c, m); });
}

bool Operator::CanSpare(const SimReplica& machine) const {
  const auto c = Group();
  if (!c || busy() || !Complete(*c)) return false;
  const raft::Member* me = raft::FindMember(*c, machine.id());
  if (!me || me->promote || Damaged(*c, *me)) return false;
  size_t damaged = 0;
  for (const auto& other : machines_) {
    if (other->gone()) continue;
    if (!other->running()) return false;
    const raft::Status status = other->core().GetStatus();
    const bool listed = raft::FindMember(*c, other->id()) != nullptr;
    if (listed && (!IsCommitted(other->core()) || status.configuration != *c)) return false;
  }
  for (const raft::Member& m : c->members) damaged += m.voter && Damaged(*c, m);
  return !me->voter || damaged + 1 <= (Voters(*c) - 1) / 2;
}

bool Operator::IsKnownToAll(const SimReplica& machine) const {
  const auto c = Group();
  const raft::Member* me = c ? raft::FindMember(*c, machine.id()) : nullptr;
  if (!me || me->instance == 0 || me->instance != machine.instance()) return false;
  return std::ranges::all_of(c->members, [&](const raft::Member& m) {
    const SimReplica* other = Find(m.id);
    if (!other || !other->running() || !IsCommitted(other->core())) return false;
    const raft::Status status = other->core().GetStatus();
    return status.configuration == *c && other->core().configuration_index() <= status.durable;
  });
}

bool Operator::KnowsAMember(const SimReplica& machine, const raft::Configuration& c) const {
  const raft::Configuration known = machine.core().GetStatus().configuration;
  return std::ranges::any_of(raft::EveryMember(known), [&](MemberId id) {
    return raft::FindMember(c, id) != nullptr && Find(id) && Find(id)->running();
  });
}

bool Operator::Settled() const {
  const SimReplica* leader = Leader();
  if (!leader || !IsCommitted(leader->core())) return false;
  const raft::Configuration c = leader->core().GetStatus().configuration;
  if (!Complete(c) || c.feature_level != raft::kFeatureLevel) return false;
  const bool well = std::ranges::all_of(c.members, [&](const raft::Member& m) {
    const SimReplica* machine = Find(m.id);
    return machine && machine->running() && !Damaged(c, m) && !m.promote;
  });
  // Who was away while everybody it knew was replaced has nobody to hear it from.
  return well && std::ranges::none_of(machines_, [&](const auto& machine) {
           return machine->running() && !raft::FindMember(c, machine->id()) && KnowsAMember(*machine, c);
         });
}

// --- what it does ---

void Operator::Look() {
  if (StartsMachine()) return;
  SimReplica* leader = Leader();
  if (tidying_ && leader && !busy()) Tidy(*leader);
}

// Only what is committed says that an id was given.
bool Operator::StartsMachine() {
  const MemberId next{machines_.size() + 1};
  for (const auto& machine : machines_) {
    if (!machine->running()) continue;
    const raft::Configuration c = machine->core().ConfigurationAt(machine->core().commit_index());
    const raft::Member* member = raft::FindMember(c, next);
    if (!member) continue;
    make_(next, prepared_.at(member->address));
    return true;
  }
  return false;
}

void Operator::Ask(SimReplica& at, replica::ConfigurationChange change) {
  busy_until_ = world_.now() + profile_.call_timeout * 6 / 5;  // it may die and never answer
  world_.Note(0, "the operator asks", at.id().value, change.index());
  at.Configure(std::move(change), [this, call = ++calls_](const absl::Status& status) {
    if (call != calls_) return;
    busy_until_ = {};
    world_.Note(0, "the operator is told", static_cast<uint64_t>(status.code()));
    SIM_PROBE("sim.operator.change-complete", status.ok());
    SIM_PROBE("sim.operator.would-lose-quorum", absl::IsAborted(status));
    SIM_PROBE("sim.operator.level-too-low-or-busy", absl::IsUnavailable(status));
    SIM_PROBE("sim.operator.outcome-unknown", absl::IsUnknown(status));
  });
}

void Operator::Change() {
  SimReplica* leader = Leader();
  if (tidying_ || busy() || !leader) return;
  if (auto change = Draw(leader->core().GetStatus().configuration)) Ask(*leader, *std::move(change));
}

std::optional<replica::ConfigurationChange> Operator::DrawAdd(const raft::Configuration& c, bool promote,
                                                              bool replaces) {
  if (machines_.size() >= profile_.machines_max || (!replaces && c.members.size() >= kMembersWanted))
    return std::nullopt;
  replica::AddMember add{.address = absl::StrCat("machine", ++addresses_, ":1"), .promote = promote};
  const uint64_t instance = prepared_[add.address] = NewInstance();
  if (world_.rng().Chance(1, 2)) add.instance = instance;
  if (replaces) add.replaces = c.members[world_.rng().Below(c.members.size())].id;
  return add;
}

std::optional<replica::ConfigurationChange> Operator::Draw(const raft::Configuration& c) {
  Rng& rng = world_.rng();
  const raft::Member& member = c.members[rng.Below(c.members.size())];
  const uint64_t draw = rng.Below(12);
  if (draw < 4) return DrawAdd(c, /*promote=*/true, /*replaces=*/false);
  if (draw < 5) return DrawAdd(c, /*promote=*/false, /*replaces=*/false);
  if (draw < 7) return DrawAdd(c, /*promote=*/true, /*replaces=*/true);
  if (draw < 8) return replica::PromoteMember{member.id};
  // What takes votes away: never while somebody is lost for good, which the leader cannot tell at once.
  const bool damaged = AnyVoterDamaged(c);
  if (damaged && (member.voter || !Complete(c))) return std::nullopt;
  if (!Find(member.id)) return std::nullopt;  // machines are numbered as ids are given: each is made once
  if (member.voter && Voters(c) < 3 && !rng.Chance(1, 4)) return std::nullopt;
  // Nor while another is down: what is wrong with its disk shows only when it starts.
  const bool others_run = std::ranges::all_of(c.members, [&](const raft::Member& m) {
    const SimReplica* machine = Find(m.id);
    return m.id == member.id || !raft::IsVoter(c, m.id) || (machine && machine->running());
  });
  if (member.voter && !others_run) return std::nullopt;
  const bool force = !damaged && rng.Chance(1, 4);
  if (draw < 9) return replica::DemoteMember{member.id, force};
  return replica::RemoveMember{member.id, force};
}

void Operator::Tidy(SimReplica& leader) {
  const raft::Configuration c = leader.core().GetStatus().configuration;
  for (const auto& machine : machines_)
    if (machine->feature_level() < raft::kFeatureLevel) return machine->Upgrade();
  for (const auto& machine : machines_) {
    const bool listed = raft::FindMember(c, machine->id()) != nullptr;
    if (listed && (machine->gone() || machine->wiped())) {
      SIM_PROBE("sim.operator.removes-who-is-lost", true);
      return Ask(leader, replica::RemoveMember{machine->id()});
    }
    // Whom nobody can tell that it was removed.
    if (!listed && IsCommitted(leader.core()) && machine->running() && !KnowsAMember(*machine, c)) {
      SIM_PROBE("sim.operator.switches-off", true);
      return machine->SwitchOff();
    }
  }
}

}  // namespace quorate::sim

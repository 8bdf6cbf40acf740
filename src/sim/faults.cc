#include "sim/faults.h"

#include <algorithm>
#include <numeric>
#include <set>

#include "base/sim_hooks.h"
#include "raft/quorum.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

}  // namespace

Faults::Faults(World& world, Network& network, const Shape& shape, const Profile& profile,
               std::vector<std::unique_ptr<SimReplica>>& replicas, Operator& person)
    : world_(world),
      network_(network),
      shape_(shape),
      profile_(profile),
      replicas_(replicas),
      operator_(person),
      slowness_(shape.slowness > 1 ? 3 : 1),
      has_leases_(shape.timing.initial_timing != raft::Timing{}),
      weights_(profile.weights) {
  constexpr std::array<uint32_t, 4> kFactors = {0, 1, 1, 3};
  for (uint32_t& weight : weights_)
    if (profile.swarm) weight *= kFactors[world.rng().Below(kFactors.size())];
  if (std::reduce(weights_.begin(), weights_.end()) == 0) weights_ = profile.weights;
}

void Faults::Start(Duration until) {
  until_ = until;
  for (auto& replica : replicas_) LookAfter(*replica);
  world_.After(Between(milliseconds(100), milliseconds(300)), [this] { Next(); });
}

void Faults::LookAfter(SimReplica& replica) {
  replica.OnDeath([this, &replica] { OnDeath(replica); });
  if (over_) replica.RepairDisk();
}

void Faults::Next() {
  if (world_.now() >= until_) return;
  uint64_t draw = world_.rng().Below(std::reduce(weights_.begin(), weights_.end()));
  size_t fault = 0;
  while (draw >= weights_[fault]) draw -= weights_[fault++];
  world_.Note(0, "disturbance", fault);
  Do(static_cast<Fault>(fault));
  world_.After(Between(profile_.disturb_min, profile_.disturb_max), [this] { Next(); });
}

void Faults::Do(Fault fault) {
  SimReplica& replica = Any();
  const bool up = replica.running();
  switch (fault) {
    case Fault::kKill:
      if (profile_.aim_kills) return KillAimed();
      if (!up) return;
      return world_.rng().Chance(1, 3) ? replica.Stop() : replica.Kill();
    case Fault::kPowerCut:
      return CutPower();
    case Fault::kCrashPoint:
      return up ? replica.CrashAt(static_cast<CrashPoint>(world_.rng().Below(kCrashPoints))) : void();
    case Fault::kPause: {
      const bool is_long = world_.rng().Chance(1, 8);
      return up ? replica.Pause(is_long ? world_.Between(seconds(1), seconds(7))
                                        : Between(milliseconds(10), milliseconds(1500)))
                : void();
    }
    case Fault::kSlowDisk:
      return replica.SlowDisk(Between(milliseconds(50), milliseconds(1000)));
    case Fault::kStalledDisk:
      SIM_PROBE("sim.disk.stalled", true);
      return replica.StallDisk(world_.Between(seconds(1), seconds(8)));
    case Fault::kDiskError:
      return up ? replica.FailDisk() : void();
    case Fault::kFullDisk:
      return FillDisk(replica);
    case Fault::kRot:
      return WhenSpared(replica, false, [this, &replica] { Rot(replica); });
    case Fault::kLoseLog:
      return WhenSpared(replica, false, [this, &replica] { ComeBackEmpty(replica); });
    case Fault::kWipe:
      return WhenSpared(replica, true, [this, &replica] { replica.Empty(operator_.NewInstance(), false); });
    case Fault::kMembership:
      return operator_.Change();
    case Fault::kUpgrade:
      return Upgrade();
    case Fault::kPartition:
      return Partition();
    case Fault::kHeal:
      return network_.Heal();
    case Fault::kWeather:
      return network_.DrawWeather();
    case Fault::kSlowLink:
      return network_.SlowLink(AnyMember(), AnyMember(), Between(milliseconds(0), milliseconds(400)));
    case Fault::kTransfer:
      return up ? replica.TransferLeadership() : void();
    case Fault::kClock:
      return ChangeClock(replica);
    case Fault::kConfigure:
      return Configure(*replicas_[Leader().value - 1]);
    case Fault::kTornRoster:
      return TearRoster();
    case Fault::kReaderPauses:
      return replica.SetReaderPauses(world_.rng().Chance(1, 2) ? 0 : 1 + world_.rng().Below(100));
  }
}

// Every machine comes back, until the next fault; now and then also one that should not.
void Faults::OnDeath(SimReplica& replica) {
  ++crashes_;
  const Duration down = over_ ? milliseconds(1) : Between(milliseconds(1), profile_.restart_max);
  if (replica.dismissed() && !over_ && world_.rng().Chance(1, 3)) {
    SIM_PROBE("sim.machine.dismissed-one-started-again", true);
    replica.Forgive();
  }
  world_.After(down, [this, &replica] {
    if (!world_.violation() && !replica.running() && !replica.gone()) replica.Start();
  });
}

void Faults::CutPower() {
  SimReplica& one = Any();
  switch (world_.rng().Below(6)) {
    case 0:
      for (auto& replica : replicas_)
        if (replica->running()) replica->CutPower();
      return;
    case 1:
    case 2:
      return one.running() ? one.CutPower() : void();
    default:
      return one.running() ? one.CutPowerDuringWrite() : void();
  }
}

void Faults::FillDisk(SimReplica& replica) {
  replica.FillDisk();
  world_.After(Between(milliseconds(100), seconds(3)), [&replica] { replica.FreeDisk(); });
}

// At most a minority of the voters may be without their data at a time. A good moment may come soon.
void Faults::WhenSpared(SimReplica& replica, bool known_to_all, std::function<void()> harm, int tries) {
  if (world_.now() >= until_ || tries == 0) return;
  const bool spared = operator_.CanSpare(replica) && (!known_to_all || operator_.IsKnownToAll(replica));
  if (spared) return harm();
  world_.After(milliseconds(30), [this, &replica, known_to_all, harm = std::move(harm), tries] {
    WhenSpared(replica, known_to_all, harm, tries - 1);
  });
}

void Faults::Rot(SimReplica& replica) {
  if (!replica.running()) return;
  replica.RotAndKill();
  if (!world_.rng().Chance(1, 2)) return;
  world_.After(Between(seconds(1), seconds(2)), [this, &replica] {
    if (replica.lost()) ComeBackEmpty(replica);
  });
}

// Only where the group knows which data it was that is lost.
void Faults::ComeBackEmpty(SimReplica& replica) {
  const auto group = operator_.Group();
  const raft::Member* member = group ? raft::FindMember(*group, replica.id()) : nullptr;
  if (!member || member->instance == 0 || member->instance != replica.instance()) return;
  replica.Empty(operator_.NewInstance(), /*repairs=*/true);
  OnDeath(replica);
}

void Faults::Upgrade() {
  for (const auto& replica : replicas_)
    if (replica->feature_level() < raft::kFeatureLevel) return replica->Upgrade();
}

MemberId Faults::Leader() const {
  for (const auto& replica : replicas_)
    if (replica->running() && replica->core().role() == raft::Role::kLeader) return replica->id();
  return MemberId{1};
}

void Faults::Partition() {
  const uint64_t members = replicas_.size();
  const MemberId a = AnyMember(), b{a.value % members + 1};
  switch (world_.rng().Below(6)) {
    case 0:
      return network_.Separate({a});
    case 1:
      return network_.Cut(a, b);  // one way
    case 2:                       // any other is a bridge between the two
      return network_.CutBoth(a, b);
    case 3: {  // the leader keeps one follower; with three that is a majority
      const MemberId leader = Leader();
      return network_.Separate({leader, leader == a ? b : a});
    }
    case 4:  // it hears nobody, or nobody hears it
      for (uint64_t id = 1; id <= members; ++id) network_.Cut(a, MemberId{id});
      return;
    case 5:
      for (uint64_t id = 1; id <= members; ++id) network_.Cut(MemberId{id}, a);
  }
}

void Faults::ChangeClock(SimReplica& replica) {
  if (world_.rng().Chance(1, 2)) return replica.clock().JumpWall();
  replica.clock().DrawRate();
  replica.OnClockChange();
}

void Faults::Configure(SimReplica& leader) {
  if (!leader.running() || !has_leases_) return;
  switch (world_.rng().Below(4)) {
    case 0:
      return leader.Configure(replica::SetLeases{.on = world_.rng().Chance(1, 2)});
    case 1: {
      raft::Timing timing = shape_.timing.initial_timing;
      timing.lease_wanted = timing.lease * (1 + static_cast<int64_t>(world_.rng().Below(6))) / 3;
      return leader.Configure(replica::SetTiming{timing});
    }
    default:
      return leader.Configure(replica::SetEligible{AnyMember(), world_.rng().Chance(1, 2)});
  }
}

void Faults::TearRoster() {
  SimReplica& leader = *replicas_[Leader().value - 1];
  const MemberId other = AnyMember();
  if (!has_leases_ || !leader.running() || other == leader.id()) return;
  const raft::Configuration now = leader.core().GetStatus().configuration;
  if (!raft::IsLeaseEligible(now, other)) return Lend(leader, other);
  // Cut off before it hears of it, or just after.
  const bool hears = world_.rng().Chance(1, 2);
  if (!hears) network_.Separate({other});
  leader.Configure(replica::SetEligible{other, false});
  const Duration until_death = hears ? world_.Between(milliseconds(5), milliseconds(40))
                                     : world_.Between(milliseconds(1), milliseconds(15));
  world_.After(until_death, [this, &leader, other] {
    if (over_) return;
    network_.Separate({other});
    if (leader.running()) leader.Kill();
  });
}

// The leader makes `other` eligible, tells it alone, and forgets.
void Faults::Lend(SimReplica& leader, MemberId other) {
  network_.Separate({leader.id(), other});
  leader.SlowDisk(milliseconds(100));
  leader.Configure(replica::SetEligible{other, true});
  world_.After(world_.Between(milliseconds(2), milliseconds(15)), [this, &leader, other] {
    if (over_) return;
    network_.Heal();
    network_.Separate({other});
    if (leader.running()) leader.CutPower();
  });
}

void Faults::KillAimed() {
  SimReplica* victim = nullptr;
  for (const auto& replica : replicas_) {
    if (!replica->running()) continue;
    const raft::Status status = replica->core().GetStatus();
    const MemberId vote = status.hard_state.voted_for;
    if (vote != MemberId{} && vote != status.self && status.leader == MemberId{}) return replica->Kill();
    if (status.role == raft::Role::kLeader) victim = replica.get();
  }
  if (victim) victim->Kill();
}

// A change of before may yet come into force: it is looked at until the end.
void Faults::LeasesOn() {
  SimReplica& leader = *replicas_[Leader().value - 1];
  if (leader.running() && leader.core().role() == raft::Role::kLeader) {
    const raft::Configuration now = leader.core().GetStatus().configuration;
    const auto barred = std::ranges::find(now.members, true, &raft::Member::lease_barred);
    if (!now.leases_on) {
      leader.Configure(replica::SetLeases{.on = true});
    } else if (barred != now.members.end()) {
      leader.Configure(replica::SetEligible{barred->id, true});
    }
  }
  world_.After(milliseconds(200), [this] { LeasesOn(); });
}

void Faults::Repair() {
  over_ = true;
  if (has_leases_) LeasesOn();
  network_.Heal();
  network_.Calm();
  for (auto& replica : replicas_) replica->RepairDisk();
  world_.Note(0, "the faults end");
}

}  // namespace quorate::sim

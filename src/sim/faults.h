// Disturbs a run: one fault after the other, as the profile weighs them.
#pragma once

#include <array>
#include <functional>
#include <memory>
#include <vector>

#include "sim/network.h"
#include "sim/operator.h"
#include "sim/profile.h"
#include "sim/shape.h"
#include "sim/sim_replica.h"
#include "sim/world.h"

namespace quorate::sim {

class Faults {
 public:
  Faults(World& world, Network& network, const Shape& shape, const Profile& profile,
         std::vector<std::unique_ptr<SimReplica>>& replicas, Operator& person);

  // From now until `until`; then call Repair().
  void Start(Duration until);
  void LookAfter(SimReplica& replica);  // a machine that came later: it is started again when it dies
  // Everything works again, but for what is lost for good.
  void Repair();
  size_t crashes() const { return crashes_; }

 private:
  void Next();
  void Do(Fault fault);
  void OnDeath(SimReplica& replica);
  void CutPower();
  void FillDisk(SimReplica& replica);
  void Rot(SimReplica& replica);
  void ComeBackEmpty(SimReplica& replica);
  void WhenSpared(SimReplica& replica, bool known_to_all, std::function<void()> harm, int tries = 100);
  void Upgrade();
  void Partition();
  void ChangeClock(SimReplica& replica);
  void Configure(SimReplica& leader);
  void TearRoster();
  void Lend(SimReplica& leader, MemberId other);
  void KillAimed();
  void LeasesOn();  // again and again

  SimReplica& Any() { return *replicas_[world_.rng().Below(replicas_.size())]; }
  MemberId AnyMember() { return MemberId{1 + world_.rng().Below(replicas_.size())}; }
  // In a WAN everything takes longer, faults too.
  Duration Between(Duration least, Duration most) { return world_.Between(least, most * slowness_); }
  MemberId Leader() const;  // or anybody

  World& world_;
  Network& network_;
  const Shape& shape_;
  const Profile& profile_;
  std::vector<std::unique_ptr<SimReplica>>& replicas_;
  Operator& operator_;
  const int64_t slowness_;
  const bool has_leases_;
  std::array<uint32_t, kFaults> weights_;
  Duration until_{0};
  bool over_ = false;
  size_t crashes_ = 0;
};

}  // namespace quorate::sim

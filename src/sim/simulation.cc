#include "sim/simulation.h"

#include <memory>

#include "absl/strings/str_cat.h"
#include "sim/checker.h"
#include "sim/network.h"
#include "sim/sim_replica.h"
#include "sim/workload.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

class Simulation {
 public:
  explicit Simulation(const Options& options)
      : options_(options),
        world_(options.seed, options.verbose),
        network_(world_),
        checker_(world_),
        workload_(world_, checker_, replicas_) {
    for (uint64_t id = 1; id <= kMembers; ++id)
      replicas_.push_back(std::make_unique<SimReplica>(world_, network_, checker_, options_, MemberId{id}));
  }

  Report Run() {
    for (auto& replica : replicas_) {
      replica->OnDeath([this, &replica = *replica] { OnDeath(replica); });
      replica->Start();
    }
    workload_.Start();
    world_.After(milliseconds(300), [this] { Disturb(); });
    RunUntil(options_.chaos, [] { return false; });
    Repair();
    // Raft 5.4.3 and 8: with a majority up and messages passing, everything comes right. Elections take a few
    // hundred ms; snapshots and the clients' own retries some more.
    RunUntil(world_.now() + seconds(2), [] { return false; });
    workload_.Finish();
    if (!RunUntil(world_.now() + seconds(20), [this] { return workload_.idle() && Converged(); }) && Going())
      world_.Fail("liveness",
                  "20 s after the last fault not every operation is answered and every replica equal");
    if (Going())
      for (uint64_t id = 1; id <= kMembers; ++id)
        checker_.CheckFinalState(MemberId{id}, replicas_[id - 1]->map(), *replicas_[id - 1]->zones());
    return {.violation = world_.violation(),
            .trace_hash = world_.trace_hash(),
            .last_lines = world_.LastLines(),
            .steps = world_.steps(),
            .acknowledged = checker_.acknowledged(),
            .reads = workload_.reads(),
            .applied = checker_.applied(),
            .leaders = checker_.leaders(),
            .crashes = crashes_,
            .snapshots = checker_.snapshots(),
            .simulated = world_.now()};
  }

 private:
  bool Going() const {
    return !world_.violation() && (options_.steps_max == 0 || world_.steps() < options_.steps_max);
  }
  template <class Condition>
  bool RunUntil(Duration until, Condition condition) {
    while (Going()) {
      if (condition()) return true;
      if (!world_.Step(until)) break;
    }
    return condition();
  }

  bool Converged() const {
    for (const auto& replica : replicas_) {
      if (!replica->running() || replica->applied() != replicas_[0]->applied() ||
          replica->state_hash() != replicas_[0]->state_hash())
        return false;
    }
    return true;
  }

  SimReplica& AnyReplica() { return *replicas_[world_.rng().Below(kMembers)]; }
  MemberId AnyMember() { return MemberId{1 + world_.rng().Below(kMembers)}; }

  // One fault, and the next after a while.
  void Disturb() {
    if (world_.now() >= options_.chaos) return;
    const uint64_t draw = world_.rng().Below(100);
    world_.Note(0, "disturbance", draw);
    if (draw < 28) {
      Crash();
    } else if (draw < 36) {
      if (SimReplica& replica = AnyReplica(); replica.running())
        replica.Pause(world_.Between(milliseconds(10), milliseconds(1500)));
    } else if (draw < 42) {
      AnyReplica().SlowDisk(world_.Between(milliseconds(50), milliseconds(1000)));
    } else if (draw < 66) {
      Partition();
    } else if (draw < 80) {
      network_.Heal();
    } else if (draw < 92) {
      network_.DrawWeather();
    } else if (SimReplica& replica = AnyReplica(); replica.running()) {
      replica.TransferLeadership();
    }
    world_.After(world_.Between(milliseconds(5), milliseconds(500)), [this] { Disturb(); });
  }

  void Crash() {
    const uint64_t how = world_.rng().Below(8);
    if (how == 0) {  // all at once: a power failure
      for (auto& replica : replicas_)
        if (replica->running()) replica->CutPower();
      return;
    }
    SimReplica& replica = AnyReplica();
    if (!replica.running()) return;
    if (how <= 3) return replica.Kill();
    if (how <= 5) return replica.CutPower();
    replica.CutPowerDuringWrite();
  }

  // Every machine comes back, until the next fault.
  void OnDeath(SimReplica& replica) {
    ++crashes_;
    world_.After(world_.Between(milliseconds(1), milliseconds(1500)), [this, &replica] {
      if (!world_.violation()) replica.Start();
    });
  }

  void Partition() {
    const MemberId a = AnyMember(), b{a.value % kMembers + 1};
    switch (world_.rng().Below(3)) {
      case 0:
        return network_.Isolate(a);
      case 1:
        return network_.Cut(a, b);  // one way
      case 2:                       // the third is a bridge between the two
        network_.Cut(a, b);
        network_.Cut(b, a);
    }
  }

  void Repair() {
    network_.Heal();
    network_.Calm();
    world_.Note(0, "the faults end");
  }

  const Options options_;
  World world_;
  Network network_;
  Checker checker_;
  std::vector<std::unique_ptr<SimReplica>> replicas_;
  Workload workload_;
  size_t crashes_ = 0;
};

}  // namespace

Report Simulate(const Options& options) { return Simulation(options).Run(); }

}  // namespace quorate::sim

#include "sim/simulation.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/sim_hooks.h"
#include "sim/checker.h"
#include "sim/faults.h"
#include "sim/history.h"
#include "sim/network.h"
#include "sim/shape.h"
#include "sim/sim_replica.h"
#include "sim/workload.h"

namespace quorate::sim {
namespace {

using std::chrono::seconds;

constexpr uint64_t kStepsMost = 5'000'000;  // a hundred times what a run takes

Shape MakeShape(const Options& options, Rng& rng) {
  const std::vector<ShapeKind>& allowed = options.profile.shapes;
  const ShapeKind drawn = allowed[rng.Below(allowed.size())];
  const bool leases = rng.Chance(options.profile.leases_percent, 100);
  Shape shape = DrawShape(options.shape.value_or(drawn), leases, rng);
  if (options.profile.recovery.count() > 0) shape.recovery = options.profile.recovery;
  if (const Duration lease = options.profile.lease; leases && lease.count() > 0) {
    raft::Timing& timing = shape.timing.initial_timing;
    timing.lease = timing.lease_wanted = lease;
    timing.lease_wait = raft::LeaseWaitFor(lease);
  }
  const Duration spread = options.profile.election_spread;
  raft::CoreConfig& timing = shape.timing;
  if (spread.count() > 0) timing.election_timeout_max = timing.election_timeout_min + spread;
  return shape;
}

class Simulation {
 public:
  explicit Simulation(const Options& options)
      : options_(options),
        world_(options.seed, options.verbose),
        shape_(MakeShape(options, world_.rng())),
        network_(world_, shape_, options.profile.slow_permille),
        checker_(world_),
        history_(world_),
        replicas_(MakeReplicas()),
        faults_(world_, network_, shape_, options_.profile, replicas_),
        workload_(world_, checker_, history_, options_.profile, replicas_) {
    SIM_PROBE("sim.shape.lan5", shape_.kind == ShapeKind::kLan5);
    SIM_PROBE("sim.shape.lan3+1", shape_.kind == ShapeKind::kLan3Learner);
    SIM_PROBE("sim.shape.wan5", shape_.kind == ShapeKind::kWan5);
  }

  Report Run() {
    const Duration chaos = ChaosTime();
    faults_.Start(chaos);
    for (auto& replica : replicas_) replica->Start();
    workload_.Start();
    RunUntil(chaos, [] { return false; });
    faults_.Repair();
    Recover();
    CheckEnd();
    return MakeReport();
  }

 private:
  std::vector<std::unique_ptr<SimReplica>> MakeReplicas() {
    std::vector<std::unique_ptr<SimReplica>> replicas;
    for (const raft::Member& member : shape_.members.members)
      replicas.push_back(
          std::make_unique<SimReplica>(world_, network_, checker_, shape_, options_, member.id));
    return replicas;
  }

  // Raft 5.4.3 and 8: with a majority up and messages passing, everything comes right. Elections take a few
  // timeouts; snapshots and the clients' own retries some more.
  void Recover() {
    RunUntil(world_.now() + seconds(2) * shape_.slowness, [] { return false; });
    if (!RunUntil(world_.now() + shape_.recovery, [this] { return AllHoldLeases(); }) && Going())
      world_.Fail("a lease for every healthy replica",
                  "clients go on writing, and somebody never gets one" + DescribeLeases());
    workload_.Finish();
    if (!RunUntil(world_.now() + shape_.recovery, [this] { return workload_.finished() && Converged(); }) &&
        Going())
      world_.Fail("liveness",
                  "long after the last fault not every operation is answered and every replica equal");
  }

  std::string DescribeLeases() const {
    std::string text;
    for (const auto& replica : replicas_) {
      if (!replica->running()) continue;
      const raft::Status status = replica->core().GetStatus();
      absl::StrAppend(&text, "; member ", status.self.value,
                      replica->holds_lease() ? " has one" : " has none");
      if (status.role != raft::Role::kLeader) continue;
      absl::StrAppend(&text, " and leads: lease ", status.configuration.timing.lease.count(),
                      " ns, own state ", static_cast<int>(status.lease));
      for (const raft::PeerStatus& peer : status.peers)
        absl::StrAppend(&text, ", of ", peer.id.value, " ", static_cast<int>(peer.lease), " drift ",
                        peer.drift_ppm);
    }
    return text;
  }

  Duration ChaosTime() const {
    const Duration usual = options_.profile.chaos.count() > 0 ? options_.profile.chaos : shape_.chaos;
    return options_.chaos.value_or(usual);
  }

  bool Going() const {
    return !world_.violation() && (options_.steps_max == 0 || world_.steps() < options_.steps_max);
  }
  template <class Condition>
  bool RunUntil(Duration until, Condition condition) {
    while (Going()) {
      if (condition()) return true;
      if (!world_.Step(until)) break;
      if (world_.steps() > kStepsMost)
        world_.Fail("messages come to an end", "so many steps: they bring forth each other");
    }
    return condition();
  }

  bool AllHoldLeases() const {
    if (shape_.timing.initial_timing == raft::Timing{}) return true;
    return std::ranges::all_of(replicas_, [](const auto& replica) {
      return replica->lost() || (replica->running() && replica->holds_lease());
    });
  }

  // All that can come back did and have the same, and no read is left waiting.
  bool Converged() const {
    const SimReplica* first = nullptr;
    for (const auto& replica : replicas_) {
      if (replica->lost()) continue;
      if (!replica->running() || replica->open_reads() > 0) return false;
      if (!first) first = replica.get();
      if (replica->applied() != first->applied() || replica->state_hash() != first->state_hash())
        return false;
    }
    return true;
  }

  void CheckEnd() {
    if (!Going()) return;
    for (const auto& replica : replicas_)
      if (!replica->lost()) checker_.CheckFinalState(replica->id(), replica->map(), *replica->zones());
    history_.Check();
  }

  Report MakeReport() const {
    return {.violation = world_.violation(),
            .trace_hash = world_.trace_hash(),
            .last_lines = world_.LastLines(),
            .history = history_.operations(),
            .steps = world_.steps(),
            .acknowledged = checker_.acknowledged(),
            .reads = workload_.reads(),
            .applied = checker_.applied(),
            .leaders = checker_.leaders(),
            .crashes = faults_.crashes(),
            .snapshots = checker_.snapshots(),
            .simulated = world_.now()};
  }

  const Options options_;
  World world_;
  const Shape shape_;
  Network network_;
  Checker checker_;
  History history_;
  std::vector<std::unique_ptr<SimReplica>> replicas_;
  Faults faults_;
  Workload workload_;
};

}  // namespace

Report Simulate(const Options& options) {
  sim_hooks::SetMutant(options.mutant);
  Report report = Simulation(options).Run();
  sim_hooks::SetMutant("");
  return report;
}

}  // namespace quorate::sim

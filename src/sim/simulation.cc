#include "sim/simulation.h"

#include <algorithm>
#include <memory>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/sim_hooks.h"
#include "raft/quorum.h"
#include "sim/checker.h"
#include "sim/faults.h"
#include "sim/history.h"
#include "sim/network.h"
#include "sim/operator.h"
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
        operator_(world_, options_.profile, replicas_,
                  [this](MemberId id, uint64_t instance) { Join(id, instance); }),
        faults_(world_, network_, shape_, options_.profile, replicas_, operator_),
        workload_(world_, checker_, history_, options_.profile, replicas_) {
    checker_.SetHas([this](MemberId id, LogIndex index, Term term) {
      const SimReplica* machine = operator_.Find(id);
      return machine && machine->HasOnDisk(index, term);
    });
    SIM_PROBE("sim.shape.lan5", shape_.kind == ShapeKind::kLan5);
    SIM_PROBE("sim.shape.lan3+1", shape_.kind == ShapeKind::kLan3Learner);
    SIM_PROBE("sim.shape.wan5", shape_.kind == ShapeKind::kWan5);
  }

  Report Run() {
    const Duration chaos = ChaosTime();
    faults_.Start(chaos);
    for (auto& replica : replicas_) replica->Start();
    workload_.Start();
    operator_.Start();
    RunUntil(chaos, [] { return false; });
    faults_.Repair();
    operator_.TidyUp();
    Recover();
    CheckEnd();
    return MakeReport();
  }

 private:
  std::vector<std::unique_ptr<SimReplica>> MakeReplicas() {
    std::vector<std::unique_ptr<SimReplica>> replicas;
    const bool old = world_.rng().Chance(options_.profile.old_program_percent, 100);
    SIM_PROBE("sim.machine.begins-with-an-old-program", old);
    for (const raft::Member& member : shape_.members.members)
      replicas.push_back(MakeReplica(member.id, {.bootstrap = shape_.members,
                                                 .feature_level = old ? 1 : raft::kFeatureLevel,
                                                 .instance = 100 + member.id.value}));
    return replicas;
  }
  std::unique_ptr<SimReplica> MakeReplica(MemberId id, Installation installation) {
    return std::make_unique<SimReplica>(world_, network_, checker_, shape_, options_, id,
                                        std::move(installation));
  }
  void Join(MemberId id, uint64_t instance) {
    CHECK(id.value == replicas_.size() + 1);
    world_.Note(id.value, "joins");
    replicas_.push_back(MakeReplica(id, {.instance = instance}));
    faults_.LookAfter(*replicas_.back());
    workload_.AskAlso(replicas_.size() - 1);
    replicas_.back()->Start();
  }

  // Raft 5.4.3 and 8: with a majority up and messages passing, everything comes right. Elections take a few
  // timeouts; snapshots and the clients' own retries some more.
  void Recover() {
    RunUntil(world_.now() + seconds(2) * shape_.slowness, [] { return false; });
    if (!RunUntil(world_.now() + shape_.recovery, [this] { return operator_.Settled(); }) && Going())
      world_.Fail("liveness of membership",
                  "long after the last fault the group is not complete" + DescribeGroup());
    if (!RunUntil(world_.now() + shape_.recovery, [this] { return AllHoldLeases(); }) && Going())
      world_.Fail("a lease for every healthy replica",
                  "clients go on writing, and somebody never gets one" + DescribeLeases());
    workload_.Finish();
    if (!RunUntil(world_.now() + shape_.recovery, [this] { return workload_.finished() && Converged(); }) &&
        Going())
      world_.Fail("liveness",
                  "long after the last fault not every operation is answered and every replica equal");
  }

  std::string DescribeGroup() const {
    const auto group = operator_.Group();
    std::string text = group ? "; members" : "; nobody leads";
    if (group)
      for (const raft::Member& m : group->members)
        absl::StrAppend(&text, " ", m.id.value, m.voter ? "v" : "l", m.promote ? "p" : "",
                        m.leaving ? "x" : "", m.repairing ? "r" : "", m.instance);
    if (group) absl::StrAppend(&text, " level ", group->feature_level);
    for (const auto& replica : replicas_) {
      absl::StrAppend(&text, "; machine ", replica->id().value, " instance ", replica->instance(),
                      replica->running() ? " runs" : "", replica->lost() ? " lost" : "",
                      replica->wiped() ? " wiped" : "", replica->dismissed() ? " dismissed" : "");
      if (!replica->running() || (group && raft::FindMember(*group, replica->id()))) continue;
      const raft::Status status = replica->core().GetStatus();
      absl::StrAppend(&text, " outside, role ", static_cast<int>(status.role), " following ",
                      status.leader.value, " knows");
      for (const raft::Member& m : status.configuration.members)
        absl::StrAppend(&text, " ", m.id.value, m.voter ? "v" : "l", m.leaving ? "x" : "",
                        m.repairing ? "r" : "", m.instance);
      for (MemberId id : status.configuration.outgoing_voters) absl::StrAppend(&text, " out ", id.value);
      absl::StrAppend(&text, ", durable ", status.durable.value, " of ", status.last.value);
    }
    return text;
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

  // Those that are listed.
  std::vector<const SimReplica*> Members() const {
    std::vector<const SimReplica*> members;
    const auto group = operator_.Group();
    if (!group) return members;
    for (const raft::Member& m : group->members)
      if (const SimReplica* machine = operator_.Find(m.id)) members.push_back(machine);
    return members;
  }

  bool AllHoldLeases() const {
    if (shape_.timing.initial_timing == raft::Timing{}) return true;
    const auto members = Members();
    return !members.empty() && std::ranges::all_of(members, [](const SimReplica* replica) {
      return replica->running() && replica->holds_lease();
    });
  }

  // All that are listed run and have the same, and no read is left waiting.
  bool Converged() const {
    const auto members = Members();
    return !members.empty() && std::ranges::all_of(members, [&](const SimReplica* replica) {
      return replica->running() && replica->open_reads() == 0 &&
             replica->applied() == members[0]->applied() && replica->state_hash() == members[0]->state_hash();
    });
  }

  void CheckEnd() {
    if (!Going()) return;
    for (const SimReplica* replica : Members())
      checker_.CheckFinalState(replica->id(), replica->map(), *replica->zones());
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
  Operator operator_;
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

// The search for an order of one key's history: just-in-time linearization.
//
// The history is walked once, by time. A *configuration* is what one possible order leads to: the value,
// which of the steps under way it has placed already, and which steps of unknown outcome it has spent. When a
// step returns, each configuration that has not placed it is carried on, by placing steps under way, until it
// has. None left: no order.
//
// What keeps the frontier small, none of which changes the verdict:
// - a read, or a refused cas, that fits now is placed now: it changes nothing;
// - a value with one producer is not left before all who saw it are placed: it never comes back;
// - a write that nobody observes goes right before the next write (unless a refused cas could need it);
// - of steps alike only the one that returns first, or was called first if unknown, is tried;
// - a step of unknown outcome is spent only for an observer under way; later, or never, is as good otherwise.
// So one
//   whose value is never seen costs nothing;
// - a refused cas that needs any other value takes that of an unknown write nobody observes, if there is one
//   (Effort::kThrifty only: then kNotLinearizable is not certain);
// - of configurations that differ only in what they spent, those that spent more are dropped;
// - what all configurations have placed or spent is no longer part of them.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/container/inlined_vector.h"
#include "testing/linearizability.h"
#include "testing/register_history.h"

namespace quorate::testing {

enum class Effort { kThrifty, kComplete };

struct SearchResult {
  Verdict verdict = Verdict::kLinearizable;
  // Of kLinearizable; indices of operations.
  std::vector<size_t> order;
  std::vector<size_t> unused;  // of unknown outcome, and not in the order
  uint64_t configurations = 0;
};

class RegisterSearch {
 public:
  // Keeps the reference.
  RegisterSearch(const RegisterHistory& history, const CheckOptions& options, Effort effort);
  SearchResult Run();  // once

 private:
  using Steps = absl::InlinedVector<StepId, 8>;  // ascending
  struct Configuration {
    ValueId value = kAbsent;
    Steps placed, spent;
    uint32_t trail = 0;  // the way here: index into trail_
    Steps fresh;         // placed or spent since `trail`, in order
  };
  struct TrailStep {
    StepId step;
    uint32_t before;
  };
  // Value and placed -> what those configurations spent, none a superset of another.
  using Known = absl::flat_hash_map<std::pair<ValueId, Steps>, std::vector<Steps>>;

  enum class Progress { kGoesOn, kBlocked, kExhausted };

  void Call(StepId id);
  Progress Return(StepId id);
  void Carry(StepId returning);
  void Offer(Configuration configuration, StepId returning);
  void DropDominated();
  void Expand(const Configuration& configuration, std::vector<Configuration>& successors);
  void ExpandOptional(const Configuration& configuration, std::vector<Configuration>& successors);
  bool WantedByObservers(const Configuration& configuration, std::vector<ValueId>& wanted) const;
  bool SpendUnobserved(const Configuration& configuration, std::vector<Configuration>& successors) const;
  void SpendSwaps(const Configuration& configuration, std::vector<Configuration>& successors) const;
  static std::vector<StepId>::const_iterator FirstUnspent(const std::vector<StepId>& ids,
                                                          const Configuration& configuration);
  void WantAllButTheValue(const Configuration& configuration, std::vector<ValueId>& wanted) const;
  std::optional<Configuration> After(const Configuration& configuration, StepId id) const;
  void PlaceFitting(Configuration& configuration) const;
  void PlaceUnobservedWrites(Configuration& configuration) const;
  void Place(Configuration& configuration, StepId id) const;
  bool MayLeave(ValueId value, const RegisterStep& by) const;
  bool IsNew(Known& known, const Configuration& configuration);
  void Record(Configuration& configuration);
  void Settle();
  void Forget(StepId id);
  bool FirstOfItsKind(StepId id);
  SearchResult Found() const;
  bool exhausted() const;

  const RegisterHistory& history_;
  const CheckOptions options_;
  const Effort effort_;
  std::vector<Configuration> frontier_{1};
  std::vector<StepId> under_way_;  // called, not settled, not optional; by return
  // Optional steps, called and not settled: by the value they leave, then alike, then by call.
  std::map<ValueId, std::map<uint32_t, std::vector<StepId>>> offers_;
  std::vector<bool> settled_;
  int64_t now_ = 0;  // index of the event
  std::vector<TrailStep> trail_{1};
  uint64_t configurations_ = 0;

  // Of one return: configurations that have not placed the step, those to carry on, and those that have.
  Known explored_, arrived_;
  std::vector<Configuration> queue_, next_;
  size_t held_ = 0;

  std::vector<uint64_t> tried_;  // by `alike`: the last expansion that tried one
  uint64_t expansion_ = 0;
};

}  // namespace quorate::testing

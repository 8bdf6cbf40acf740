// The search's use of steps of unknown outcome.
#include <algorithm>
#include <utility>

#include "testing/register_search.h"
#include "testing/step_set.h"

namespace quorate::testing {
namespace {

using Kind = RegisterStep::Kind;

}  // namespace

std::vector<StepId>::const_iterator RegisterSearch::FirstUnspent(const std::vector<StepId>& ids,
                                                                 const Configuration& configuration) {
  return std::find_if(ids.begin(), ids.end(), [&](StepId id) { return !Contains(configuration.spent, id); });
}

void RegisterSearch::ExpandOptional(const Configuration& configuration,
                                    std::vector<Configuration>& successors) {
  std::vector<ValueId> wanted;
  const bool any_other = WantedByObservers(configuration, wanted);
  const bool spent = any_other && effort_ == Effort::kThrifty && SpendUnobserved(configuration, successors);
  if (spent) SpendSwaps(configuration, successors);
  if (any_other && !spent) WantAllButTheValue(configuration, wanted);
  for (size_t at = 0; at < wanted.size(); ++at) {
    const auto offers = offers_.find(wanted[at]);
    if (offers == offers_.end()) continue;
    for (const auto& [alike, ids] : offers->second) {
      const auto unspent = FirstUnspent(ids, configuration);
      if (unspent == ids.end()) continue;
      if (auto successor = After(configuration, *unspent)) {
        successors.push_back(*std::move(successor));
        continue;
      }
      // A swap may become possible by spending another step first.
      const ValueId expected = history_.steps[*unspent].expected;
      const bool known = expected == configuration.value ||
                         std::find(wanted.begin(), wanted.end(), expected) != wanted.end();
      if (history_.steps[*unspent].kind == Kind::kSwap && !known) wanted.push_back(expected);
    }
  }
}

// The values that let an observer under way be placed. True: for one of them any value but the present one
// does.
bool RegisterSearch::WantedByObservers(const Configuration& configuration,
                                       std::vector<ValueId>& wanted) const {
  bool any_other = false;
  for (const StepId id : under_way_) {
    const RegisterStep& step = history_.steps[id];
    if (step.kind == Kind::kWrite || Contains(configuration.placed, id)) continue;
    if (step.kind == Kind::kRefuse) {
      any_other = true;
      continue;
    }
    const bool known = step.expected == configuration.value ||
                       std::find(wanted.begin(), wanted.end(), step.expected) != wanted.end();
    if (!known) wanted.push_back(step.expected);
  }
  return any_other;
}

void RegisterSearch::WantAllButTheValue(const Configuration& configuration,
                                        std::vector<ValueId>& wanted) const {
  wanted.clear();
  for (const auto& [value, offers] : offers_) {
    if (value != configuration.value) wanted.push_back(value);
  }
}

bool RegisterSearch::SpendUnobserved(const Configuration& configuration,
                                     std::vector<Configuration>& successors) const {
  const auto offers = offers_.find(kUnobserved);
  if (offers == offers_.end()) return false;
  for (const auto& [alike, ids] : offers->second) {
    if (history_.steps[ids.front()].kind != Kind::kWrite) continue;
    const auto unspent = FirstUnspent(ids, configuration);
    if (unspent == ids.end()) continue;
    if (auto successor = After(configuration, *unspent)) successors.push_back(*std::move(successor));
    return true;
  }
  return false;
}

// All that only the present value allows.
void RegisterSearch::SpendSwaps(const Configuration& configuration,
                                std::vector<Configuration>& successors) const {
  for (const auto& [value, offers] : offers_) {
    if (value == kUnobserved || value == configuration.value) continue;
    for (const auto& [alike, ids] : offers) {
      const RegisterStep& first = history_.steps[ids.front()];
      if (first.kind != Kind::kSwap || first.expected != configuration.value) continue;
      const auto unspent = FirstUnspent(ids, configuration);
      if (unspent == ids.end()) continue;
      if (auto successor = After(configuration, *unspent)) successors.push_back(*std::move(successor));
    }
  }
}

}  // namespace quorate::testing

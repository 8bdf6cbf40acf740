#include "testing/register_search.h"

#include <algorithm>
#include <utility>

#include "testing/step_set.h"

namespace quorate::testing {
namespace {

using Kind = RegisterStep::Kind;

// 1 GiB of ways back; over it the search gives up.
constexpr size_t kTrailStepsMax = size_t{1} << 27;

}  // namespace

RegisterSearch::RegisterSearch(const RegisterHistory& history, const CheckOptions& options, Effort effort)
    : history_(history),
      options_(options),
      effort_(effort),
      settled_(history.steps.size()),
      tried_(history.alike_count) {}

bool RegisterSearch::exhausted() const {
  return configurations_ > options_.configurations_max || held_ > options_.frontier_max ||
         trail_.size() > kTrailStepsMax;
}

SearchResult RegisterSearch::Run() {
  for (const RegisterEvent& event : history_.events) {
    if (!event.is_return) {
      Call(event.step);
    } else if (!settled_[event.step]) {
      const Progress progress = Return(event.step);
      if (progress == Progress::kExhausted) return {Verdict::kGaveUp, {}, {}, configurations_};
      if (progress == Progress::kBlocked) return {Verdict::kNotLinearizable, {}, {}, configurations_};
    }
    ++now_;
  }
  return Found();
}

void RegisterSearch::Call(StepId id) {
  const RegisterStep& step = history_.steps[id];
  if (step.optional) {
    offers_[step.written][step.alike].push_back(id);
    return;
  }
  const auto returns_later = [&](StepId other) {
    return history_.steps[other].return_rank > step.return_rank;
  };
  under_way_.insert(std::find_if(under_way_.begin(), under_way_.end(), returns_later), id);
}

RegisterSearch::Progress RegisterSearch::Return(StepId id) {
  explored_.clear();
  arrived_.clear();
  queue_.clear();
  next_.clear();
  held_ = 0;
  Carry(id);
  if (exhausted()) return Progress::kExhausted;
  if (next_.empty()) return Progress::kBlocked;
  DropDominated();
  frontier_.swap(next_);
  Forget(id);
  Settle();
  return Progress::kGoesOn;
}

void RegisterSearch::Carry(StepId returning) {
  for (Configuration configuration : frontier_) {
    PlaceFitting(configuration);
    Offer(std::move(configuration), returning);
  }
  std::vector<Configuration> successors;
  // First come, first carried: fewer spent before more, so that those which others dominate are seldom
  // entered.
  for (size_t at = 0; at < queue_.size() && !exhausted(); ++at) {
    const Configuration from = std::move(queue_[at]);
    successors.clear();
    Expand(from, successors);
    for (Configuration& successor : successors) Offer(std::move(successor), returning);
  }
}

void RegisterSearch::Offer(Configuration configuration, StepId returning) {
  const bool arrived = Contains(configuration.placed, returning);
  Erase(configuration.placed, returning);
  if (!IsNew(arrived ? arrived_ : explored_, configuration)) return;
  Record(configuration);
  (arrived ? next_ : queue_).push_back(std::move(configuration));
}

bool RegisterSearch::IsNew(Known& known, const Configuration& configuration) {
  std::vector<Steps>& spent_before = known[{configuration.value, configuration.placed}];
  for (const Steps& spent : spent_before) {
    if (Includes(configuration.spent, spent)) return false;
  }
  std::erase_if(spent_before, [&](const Steps& spent) { return Includes(spent, configuration.spent); });
  spent_before.push_back(configuration.spent);
  ++configurations_;
  ++held_;
  return true;
}

void RegisterSearch::DropDominated() {
  std::erase_if(next_, [&](const Configuration& configuration) {
    const std::vector<Steps>& minimal = arrived_[{configuration.value, configuration.placed}];
    return std::find(minimal.begin(), minimal.end(), configuration.spent) == minimal.end();
  });
}

void RegisterSearch::Record(Configuration& configuration) {
  for (const StepId id : configuration.fresh) {
    trail_.push_back({id, configuration.trail});
    configuration.trail = static_cast<uint32_t>(trail_.size() - 1);
  }
  configuration.fresh.clear();
}

void RegisterSearch::Expand(const Configuration& configuration, std::vector<Configuration>& successors) {
  ++expansion_;
  for (const StepId id : under_way_) {
    if (Contains(configuration.placed, id)) continue;
    if (std::exchange(tried_[history_.steps[id].alike], expansion_) == expansion_) continue;
    if (auto successor = After(configuration, id)) successors.push_back(*std::move(successor));
  }
  if (!offers_.empty()) ExpandOptional(configuration, successors);
}

std::optional<RegisterSearch::Configuration> RegisterSearch::After(const Configuration& configuration,
                                                                   StepId id) const {
  const RegisterStep& step = history_.steps[id];
  // What only observes is placed where it fits, by PlaceFitting.
  if (step.kind == Kind::kRead || step.kind == Kind::kRefuse) return std::nullopt;
  if (step.kind == Kind::kSwap && step.expected != configuration.value) return std::nullopt;
  if (step.written != configuration.value && !MayLeave(configuration.value, step)) return std::nullopt;
  Configuration after = configuration;
  if (step.kind == Kind::kWrite) PlaceUnobservedWrites(after);
  after.value = step.written;
  if (step.optional) {
    Insert(after.spent, id);
    after.fresh.push_back(id);
  } else if (!Contains(after.placed, id)) {
    Place(after, id);
  }
  PlaceFitting(after);
  return after;
}

bool RegisterSearch::MayLeave(ValueId value, const RegisterStep& by) const {
  const ValueUse& use = history_.values[value];
  if (use.producers != 1) return true;
  if (use.last_observer > now_) return false;
  return use.swaps == 0 || (by.kind == Kind::kSwap && !by.optional);
}

void RegisterSearch::PlaceFitting(Configuration& configuration) const {
  for (const StepId id : under_way_) {
    const RegisterStep& step = history_.steps[id];
    const bool fits = (step.kind == Kind::kRead && step.expected == configuration.value) ||
                      (step.kind == Kind::kRefuse && step.expected != configuration.value);
    if (fits && !Contains(configuration.placed, id)) Place(configuration, id);
  }
}

void RegisterSearch::PlaceUnobservedWrites(Configuration& configuration) const {
  if (history_.has_refusals) return;
  for (const StepId id : under_way_) {
    const RegisterStep& step = history_.steps[id];
    const bool unobserved = step.kind == Kind::kWrite && step.written == kUnobserved;
    if (unobserved && !Contains(configuration.placed, id)) Place(configuration, id);
  }
}

void RegisterSearch::Place(Configuration& configuration, StepId id) const {
  Insert(configuration.placed, id);
  configuration.fresh.push_back(id);
}

void RegisterSearch::Settle() {
  Steps placed = frontier_.front().placed, spent = frontier_.front().spent;
  for (const Configuration& configuration : frontier_) {
    if (placed.empty() && spent.empty()) return;
    placed = Common(placed, configuration.placed);
    spent = Common(spent, configuration.spent);
  }
  for (Configuration& configuration : frontier_) {
    for (const StepId id : placed) Erase(configuration.placed, id);
    for (const StepId id : spent) Erase(configuration.spent, id);
  }
  for (const StepId id : placed) Forget(id);
  for (const StepId id : spent) Forget(id);
}

void RegisterSearch::Forget(StepId id) {
  const RegisterStep& step = history_.steps[id];
  settled_[id] = true;
  if (!step.optional) return Erase(under_way_, id);
  const auto by_value = offers_.find(step.written);
  const auto alike = by_value->second.find(step.alike);
  Erase(alike->second, id);
  if (alike->second.empty()) by_value->second.erase(alike);
  if (by_value->second.empty()) offers_.erase(by_value);
}

SearchResult RegisterSearch::Found() const {
  SearchResult result{.configurations = configurations_};
  const Configuration& found = frontier_.front();
  for (uint32_t at = found.trail; at != 0; at = trail_[at].before) {
    result.order.push_back(history_.steps[trail_[at].step].operation);
  }
  std::reverse(result.order.begin(), result.order.end());
  for (const auto& [value, offers] : offers_) {
    for (const auto& [alike, ids] : offers) {
      for (const StepId id : ids) {
        if (!Contains(found.spent, id)) result.unused.push_back(history_.steps[id].operation);
      }
    }
  }
  std::sort(result.unused.begin(), result.unused.end());
  return result;
}

}  // namespace quorate::testing

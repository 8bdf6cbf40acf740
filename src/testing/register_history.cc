#include "testing/register_history.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string_view>
#include <tuple>
#include <utility>

namespace quorate::testing {
namespace {

using Kind = RegisterStep::Kind;

// Reads that saw nothing, and writes that did not happen, constrain nothing.
bool Matters(const Operation& operation) {
  if (operation.kind == OperationKind::kRead) return operation.outcome == Outcome::kOk;
  return operation.outcome != Outcome::kFail || operation.kind == OperationKind::kCas;
}

class ValueTable {
 public:
  ValueId Observe(const std::optional<std::string>& value) {
    if (!value) return kAbsent;
    return ids_.try_emplace(*value, static_cast<ValueId>(ids_.size()) + kUnobserved + 1).first->second;
  }
  ValueId Find(const std::optional<std::string>& value) const {
    if (!value) return kAbsent;
    const auto found = ids_.find(*value);
    return found == ids_.end() ? kUnobserved : found->second;
  }
  size_t size() const { return ids_.size() + kUnobserved + 1; }

 private:
  std::map<std::string_view, ValueId> ids_;
};

ValueTable ObservedValues(std::span<const Operation> history, std::span<const size_t> members) {
  ValueTable table;
  for (const size_t index : members) {
    const Operation& operation = history[index];
    if (!Matters(operation)) continue;
    if (operation.kind == OperationKind::kRead) table.Observe(operation.value);
    if (operation.kind == OperationKind::kCas) table.Observe(operation.expected);
  }
  return table;
}

RegisterStep MakeStep(const Operation& operation, size_t index, const ValueTable& values) {
  RegisterStep step{.operation = index};
  step.optional = operation.outcome == Outcome::kUnknown;
  switch (operation.kind) {
    case OperationKind::kRead:
      step.kind = Kind::kRead;
      step.expected = values.Find(operation.value);
      break;
    case OperationKind::kWrite:
      step.kind = Kind::kWrite;
      step.written = values.Find(operation.value);
      break;
    case OperationKind::kDelete:
      step.kind = Kind::kWrite;
      break;
    case OperationKind::kCas:
      step.kind = operation.outcome == Outcome::kFail ? Kind::kRefuse : Kind::kSwap;
      step.expected = values.Find(operation.expected);
      if (step.kind == Kind::kSwap) step.written = values.Find(operation.value);
      break;
  }
  return step;
}

struct Instant {
  int64_t at;
  bool is_return;
  StepId step;
  auto operator<=>(const Instant&) const = default;
};

void OrderEvents(std::span<const Operation> history, RegisterHistory& prepared) {
  std::vector<Instant> instants;
  for (StepId id = 0; id < prepared.steps.size(); ++id) {
    const RegisterStep& step = prepared.steps[id];
    const Operation& operation = history[step.operation];
    instants.push_back({operation.call_ns, false, id});
    if (step.optional) continue;
    const int64_t end = operation.return_ns.value_or(std::numeric_limits<int64_t>::max());
    instants.push_back({std::max(operation.call_ns, end), true, id});
  }
  std::sort(instants.begin(), instants.end());
  for (const Instant& instant : instants) {
    if (instant.is_return) prepared.steps[instant.step].return_rank = prepared.events.size();
    prepared.events.push_back({instant.step, instant.is_return});
  }
}

void MarkAlike(RegisterHistory& prepared) {
  std::map<std::tuple<Kind, ValueId, ValueId, bool>, uint32_t> seen;
  for (RegisterStep& step : prepared.steps) {
    const auto likeness = std::make_tuple(step.kind, step.expected, step.written, step.optional);
    step.alike = seen.try_emplace(likeness, static_cast<uint32_t>(seen.size())).first->second;
  }
  prepared.alike_count = seen.size();
}

void CountUses(RegisterHistory& prepared) {
  prepared.has_refusals = false;
  std::fill(prepared.values.begin(), prepared.values.end(), ValueUse{});
  prepared.values[kAbsent].producers = 1;
  for (size_t at = 0; at < prepared.events.size(); ++at) {
    if (prepared.events[at].is_return) continue;
    const RegisterStep& step = prepared.steps[prepared.events[at].step];
    const bool is_swap = step.kind == Kind::kSwap;
    if (is_swap || step.kind == Kind::kWrite) ++prepared.values[step.written].producers;
    if (step.kind == Kind::kRefuse) prepared.has_refusals = true;
    if (step.optional || !(is_swap || step.kind == Kind::kRead)) continue;
    prepared.values[step.expected].swaps += is_swap ? 1 : 0;
    prepared.values[step.expected].last_observer = static_cast<int64_t>(at);
  }
}

}  // namespace

RegisterHistory PrepareRegister(std::span<const Operation> history, std::span<const size_t> members) {
  const ValueTable values = ObservedValues(history, members);
  RegisterHistory prepared;
  prepared.values.resize(values.size());
  for (const size_t index : members) {
    if (Matters(history[index])) prepared.steps.push_back(MakeStep(history[index], index, values));
  }
  OrderEvents(history, prepared);
  MarkAlike(prepared);
  CountUses(prepared);
  return prepared;
}

RegisterHistory Prefix(const RegisterHistory& history, size_t events) {
  RegisterHistory prefix = history;
  prefix.events.resize(events);
  std::vector<bool> returned(history.steps.size());
  for (const RegisterEvent& event : prefix.events) {
    if (event.is_return) returned[event.step] = true;
  }
  std::erase_if(prefix.events, [&](const RegisterEvent& event) {
    const Kind kind = history.steps[event.step].kind;
    return !returned[event.step] && (kind == Kind::kRead || kind == Kind::kRefuse);
  });
  for (StepId id = 0; id < prefix.steps.size(); ++id) {
    if (!returned[id]) prefix.steps[id].optional = true;
  }
  MarkAlike(prefix);
  CountUses(prefix);
  return prefix;
}

RegisterHistory WithoutRefusals(const RegisterHistory& history) {
  RegisterHistory less = history;
  std::erase_if(less.events,
                [&](const RegisterEvent& event) { return history.steps[event.step].kind == Kind::kRefuse; });
  CountUses(less);
  return less;
}

}  // namespace quorate::testing

// Reports for people.
#include <algorithm>
#include <string_view>

#include "testing/linearizability.h"

namespace quorate::testing {
namespace {

constexpr size_t kShownMax = 8;  // of a list of operations, in an explanation

std::string Quoted(const std::optional<std::string>& value) {
  return value ? "\"" + *value + "\"" : "absent";
}

std::string Action(const Operation& operation) {
  switch (operation.kind) {
    case OperationKind::kRead:
      return operation.outcome == Outcome::kOk ? "read -> " + Quoted(operation.value) : "read";
    case OperationKind::kWrite:
      return "write " + Quoted(operation.value);
    case OperationKind::kDelete:
      return "delete";
    case OperationKind::kCas:
      return "cas " + Quoted(operation.expected) + " to " + Quoted(operation.value);
  }
  return "";
}

std::string_view OutcomeNote(const Operation& operation) {
  if (operation.outcome == Outcome::kUnknown) return " -> unknown";
  if (operation.outcome == Outcome::kFail) return " -> failed";
  return "";
}

// What the key holds after `order`.
std::optional<std::string> ValueAfter(std::span<const Operation> history, const std::vector<size_t>& order) {
  for (size_t at = order.size(); at-- > 0;) {
    const Operation& operation = history[order[at]];
    if (operation.kind == OperationKind::kDelete) return std::nullopt;
    const bool changes = operation.kind == OperationKind::kWrite ||
                         (operation.kind == OperationKind::kCas && operation.outcome != Outcome::kFail);
    if (changes) return operation.value;
  }
  return std::nullopt;
}

void AppendList(std::span<const Operation> history, std::span<const size_t> shown, std::string& text) {
  for (const size_t index : shown) text += "    " + ToText(history[index]) + "\n";
}

// Who could have left what `blocked` saw.
void AppendOrigin(std::span<const Operation> history, const Operation& blocked, std::string& text) {
  const bool compares = blocked.kind == OperationKind::kCas && blocked.outcome == Outcome::kOk;
  if (blocked.kind != OperationKind::kRead && !compares) return;
  const std::optional<std::string>& seen = compares ? blocked.expected : blocked.value;
  std::vector<size_t> origins;
  for (size_t index = 0; index < history.size(); ++index) {
    const Operation& other = history[index];
    const bool leaves = other.kind != OperationKind::kRead && other.outcome != Outcome::kFail;
    if (leaves && other.key == blocked.key && other.value == seen && &other != &blocked)
      origins.push_back(index);
  }
  if (origins.empty()) {
    text += seen ? "  no operation writes " + Quoted(seen) + "\n" : "  no operation deletes the key\n";
    return;
  }
  text += "  " + Quoted(seen) + " comes from\n";
  AppendList(history, std::span(origins).first(std::min(origins.size(), kShownMax)), text);
  if (origins.size() > kShownMax) text += "    and " + std::to_string(origins.size() - kShownMax) + " more\n";
}

void AppendUnderWay(std::span<const Operation> history, const KeyReport& report, std::string& text) {
  if (report.under_way.empty()) return;
  text += "  called by then, and of no use here:\n";
  const size_t shown = std::min(report.under_way.size(), kShownMax);
  AppendList(history, std::span(report.under_way).first(shown), text);
  if (report.under_way.size() > shown)
    text += "    and " + std::to_string(report.under_way.size() - shown) + " more\n";
}

}  // namespace

std::string ToText(const Operation& operation) {
  std::string text = "process " + std::to_string(operation.process) + " " + Action(operation);
  text += OutcomeNote(operation);
  text += "  [" + std::to_string(operation.call_ns) + ", ";
  text += operation.return_ns ? std::to_string(*operation.return_ns) : "no return";
  return text + "]";
}

std::string Explain(std::span<const Operation> history, const KeyReport& report) {
  std::string text = "key \"" + report.key + "\": ";
  if (report.verdict == Verdict::kLinearizable) return text + "linearizable\n";
  if (report.verdict == Verdict::kGaveUp)
    return text + "gave up after " + std::to_string(report.configurations) + " configurations\n";
  const Operation& blocked = history[*report.blocked];
  text += "no order explains\n    " + ToText(blocked) + "\n";
  AppendOrigin(history, blocked, text);
  const size_t shown = std::min(report.order.size(), kShownMax);
  text += "  all " + std::to_string(report.order.size()) + " before it have one";
  text += shown < report.order.size() ? ", which ends\n" : "\n";
  AppendList(history, std::span(report.order).last(shown), text);
  text += "  after which the key holds " + Quoted(ValueAfter(history, report.order)) + "\n";
  AppendUnderWay(history, report, text);
  return text;
}

}  // namespace quorate::testing

#include "sim/history.h"

#include <utility>

#include "testing/linearizability.h"

namespace quorate::sim {

void History::Add(testing::Operation operation, Duration call) {
  operation.call_ns = call.count();
  if (operation.outcome != testing::Outcome::kUnknown) operation.return_ns = world_.now().count();
  operations_.push_back(std::move(operation));
}

void History::Check() {
  const testing::CheckReport report = testing::CheckLinearizable(operations_);
  for (const testing::KeyReport& key : report.keys) {
    if (key.verdict == testing::Verdict::kLinearizable) continue;
    const bool gave_up = key.verdict == testing::Verdict::kGaveUp;
    world_.Fail(gave_up ? "the history is too hard to check" : "linearizable history",
                testing::Explain(operations_, key));
  }
}

}  // namespace quorate::sim

// The checker against what is certain: all orders of small histories, and histories of a register that is
// one.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <limits>
#include <optional>
#include <string>
#include <vector>

#include "base/rng.h"
#include "testing/history.h"
#include "testing/linearizability.h"

namespace quorate::testing {
namespace {

using History = std::vector<Operation>;
using Value = std::optional<std::string>;

// The register by its definition. False: the operation cannot have had its outcome here.
bool Apply(const Operation& operation, Value& value) {
  switch (operation.kind) {
    case OperationKind::kRead:
      return operation.value == value;
    case OperationKind::kWrite:
    case OperationKind::kDelete:
      value = operation.value;
      return true;
    case OperationKind::kCas:
      if (operation.outcome == Outcome::kFail) return operation.expected != value;
      if (operation.expected != value) return false;
      value = operation.value;
      return true;
  }
  return false;
}

bool Constrains(const Operation& operation) {
  if (operation.outcome == Outcome::kOk) return true;
  return operation.kind == OperationKind::kCas && operation.outcome == Outcome::kFail;
}

bool MayTakeEffect(const Operation& operation) {
  return Constrains(operation) ||
         (operation.outcome == Outcome::kUnknown && operation.kind != OperationKind::kRead);
}

int64_t End(const Operation& operation) {
  if (operation.outcome == Outcome::kUnknown) return std::numeric_limits<int64_t>::max();
  return *operation.return_ns;
}

// Every order of every subset that has all that must be in it.
bool SomeOrderExplains(const History& history, uint32_t placed, const Value& value) {
  bool complete = true;
  int64_t first_end = std::numeric_limits<int64_t>::max();
  for (size_t at = 0; at < history.size(); ++at) {
    if ((placed >> at & 1) != 0 || !Constrains(history[at])) continue;
    complete = false;
    first_end = std::min(first_end, End(history[at]));
  }
  if (complete) return true;
  for (size_t at = 0; at < history.size(); ++at) {
    if ((placed >> at & 1) != 0 || !MayTakeEffect(history[at]) || history[at].call_ns > first_end) continue;
    Value after = value;
    if (Apply(history[at], after) && SomeOrderExplains(history, placed | 1u << at, after)) return true;
  }
  return false;
}

// That the order of the report is one: legal, in real time, and complete for what returned before the end of
// it.
void ExpectOrderExplains(const History& history, const KeyReport& report) {
  Value value;
  int64_t latest_call = std::numeric_limits<int64_t>::min();
  std::vector<bool> placed(history.size());
  for (const size_t index : report.order) {
    ASSERT_FALSE(placed[index]) << "twice: " << ToText(history[index]);
    placed[index] = true;
    ASSERT_EQ(history[index].key, report.key);
    ASSERT_TRUE(MayTakeEffect(history[index]) && Apply(history[index], value)) << ToText(history[index]);
    ASSERT_GE(End(history[index]), latest_call) << "too late: " << ToText(history[index]);
    latest_call = std::max(latest_call, history[index].call_ns);
  }
  const int64_t until = report.blocked ? End(history[*report.blocked]) : std::numeric_limits<int64_t>::max();
  for (size_t index = 0; index < history.size(); ++index) {
    const bool due =
        history[index].key == report.key && Constrains(history[index]) && End(history[index]) < until;
    ASSERT_TRUE(placed[index] || !due) << "left out: " << ToText(history[index]);
  }
}

struct Shape {
  size_t operations = 0;
  int processes = 4;
  uint64_t values = 0;            // how many different ones are written; 0: each its own
  uint64_t unknown_percent = 10;  // of the operations
  uint64_t read_percent = 40, cas_percent = 20, delete_percent = 10;
  uint64_t length_max = 20;  // of an operation
  uint64_t pause_max = 10;   // between two operations of one process
};

Operation Draw(const Shape& shape, uint64_t number, Rng& rng) {
  const auto value = [&] {
    return "v" + std::to_string(shape.values == 0 ? number : rng.Below(shape.values));
  };
  Operation operation{.key = "k"};
  const uint64_t draw = rng.Below(100);
  if (draw < shape.read_percent) return operation;
  if (draw < shape.read_percent + shape.delete_percent) {
    operation.kind = OperationKind::kDelete;
    return operation;
  }
  const bool is_cas = draw < shape.read_percent + shape.delete_percent + shape.cas_percent;
  operation.kind = is_cas ? OperationKind::kCas : OperationKind::kWrite;
  operation.value = value();
  return operation;
}

struct Planned {
  Operation operation;
  int64_t effect = 0;
  bool happens = true;
};

// A real register: each operation takes effect at one instant, most of them before they return.
History RecordRegister(const Shape& shape, Rng& rng) {
  std::vector<Planned> plan;
  std::vector<int64_t> clocks(shape.processes);
  for (size_t number = 0; number < shape.operations; ++number) {
    Planned planned{.operation = Draw(shape, number, rng)};
    const size_t process = number % clocks.size();
    planned.operation.process = static_cast<int>(process);
    planned.operation.call_ns = clocks[process] + static_cast<int64_t>(1 + rng.Below(shape.pause_max));
    const auto length = static_cast<int64_t>(1 + rng.Below(shape.length_max));
    clocks[process] = planned.operation.call_ns + length;
    planned.effect = planned.operation.call_ns + static_cast<int64_t>(rng.Below(length + 1));
    planned.operation.return_ns = clocks[process];
    if (rng.Chance(shape.unknown_percent, 100)) {
      planned.operation.outcome = Outcome::kUnknown;
      planned.operation.return_ns.reset();
      planned.effect += static_cast<int64_t>(rng.Below(5 * shape.length_max));
      planned.happens = rng.Chance(1, 2);
    }
    plan.push_back(std::move(planned));
  }
  std::vector<Planned*> by_effect;
  for (Planned& planned : plan) by_effect.push_back(&planned);
  std::stable_sort(by_effect.begin(), by_effect.end(),
                   [](const Planned* a, const Planned* b) { return a->effect < b->effect; });
  Value value, before;
  for (Planned* planned : by_effect) {
    Operation& operation = planned->operation;
    // A comparison with the value, or with the one before: both outcomes are frequent.
    if (operation.kind == OperationKind::kCas) operation.expected = rng.Chance(2, 3) ? value : before;
    const Value old = value;
    if (operation.kind == OperationKind::kRead) {
      if (operation.outcome == Outcome::kOk) operation.value = value;
    } else if (operation.kind == OperationKind::kCas && operation.expected != value) {
      if (operation.outcome == Outcome::kOk) operation.outcome = Outcome::kFail;
    } else if (planned->happens) {
      value = operation.value;
    }
    if (value != old) before = old;
  }
  History history;
  for (Planned& planned : plan) history.push_back(std::move(planned.operation));
  return history;
}

// Anything: another value, another outcome, another time.
void Spoil(History& history, Rng& rng) {
  Operation& operation = history[rng.Below(history.size())];
  const Operation& other = history[rng.Below(history.size())];
  switch (rng.Below(4)) {
    case 0:
      if (operation.kind == OperationKind::kRead) operation.value = other.value;
      break;
    case 1:
      if (operation.kind == OperationKind::kCas) operation.expected = other.value;
      break;
    case 2:
      operation.outcome = operation.return_ns && rng.Chance(1, 2) ? Outcome::kOk : Outcome::kFail;
      if (!operation.return_ns) operation.return_ns = operation.call_ns + 1;
      break;
    case 3:
      if (operation.return_ns)
        operation.return_ns = operation.call_ns + (*operation.return_ns - operation.call_ns) / 3;
      break;
  }
}

void CompareWithAllOrders(const Shape& shape, uint64_t seeds) {
  constexpr uint64_t kSpoiltMax = 8;
  uint64_t good = 0, bad = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    Rng rng(seed);
    Shape sized = shape;
    sized.operations = 2 + rng.Below(shape.operations - 1);
    History history = RecordRegister(sized, rng);
    for (uint64_t left = rng.Below(kSpoiltMax + 1); left > 0; --left) Spoil(history, rng);
    const bool explained = SomeOrderExplains(history, 0, std::nullopt);
    ++(explained ? good : bad);
    const CheckReport report = CheckLinearizable(history);
    ASSERT_EQ(report.verdict, explained ? Verdict::kLinearizable : Verdict::kNotLinearizable)
        << "seed " << seed << "\n"
        << ToJsonLines(history);
    ASSERT_NO_FATAL_FAILURE(ExpectOrderExplains(history, report.keys.front())) << "seed " << seed << "\n"
                                                                               << ToJsonLines(history);
  }
  EXPECT_GT(good, seeds / 20);
  EXPECT_GT(bad, seeds / 20);
}

TEST(LinearizabilityAgainstAllOrders, AgreesOnUniqueValues) {
  CompareWithAllOrders({.operations = 7, .pause_max = 5}, 20000);
}

TEST(LinearizabilityAgainstAllOrders, AgreesOnRepeatedValues) {
  CompareWithAllOrders({.operations = 7, .values = 2, .pause_max = 5}, 20000);
}

TEST(LinearizabilityAgainstAllOrders, AgreesWhenMostOutcomesAreUnknown) {
  CompareWithAllOrders(
      {.operations = 7, .processes = 3, .values = 3, .unknown_percent = 60, .cas_percent = 30}, 20000);
}

TEST(LinearizabilityAgainstAllOrders, AgreesWhenEverythingIsCompareAndSet) {
  CompareWithAllOrders({.operations = 7,
                        .values = 2,
                        .unknown_percent = 30,
                        .read_percent = 20,
                        .cas_percent = 70,
                        .delete_percent = 5},
                       20000);
}

TEST(LinearizabilityAgainstAllOrders, AgreesWithoutDeletesAndCompareAndSet) {
  CompareWithAllOrders(
      {.operations = 7, .unknown_percent = 25, .cas_percent = 0, .delete_percent = 0, .pause_max = 3}, 20000);
}

void ExpectLinearizable(const Shape& shape, uint64_t seed) {
  Rng rng(seed);
  const History history = RecordRegister(shape, rng);
  const CheckReport report = CheckLinearizable(history);
  ASSERT_EQ(report.verdict, Verdict::kLinearizable) << "seed " << seed << "\n"
                                                    << Explain(history, report.keys.front());
  ASSERT_NO_FATAL_FAILURE(ExpectOrderExplains(history, report.keys.front()));
}

TEST(LinearizabilityOfARegister, ARealRegisterIsLinearizable) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    ASSERT_NO_FATAL_FAILURE(ExpectLinearizable({.operations = 300, .processes = 8}, seed));
    ASSERT_NO_FATAL_FAILURE(ExpectLinearizable({.operations = 300, .processes = 8, .values = 5}, seed));
  }
}

// A read of a value that was overwritten before the read was called.
TEST(LinearizabilityOfARegister, AStaleReadIsFoundInAnyHistory) {
  for (uint64_t seed = 1; seed <= 200; ++seed) {
    Rng rng(seed);
    History history = RecordRegister({.operations = 300, .processes = 8, .delete_percent = 0}, rng);
    // A value written and replaced by a write; the stale read is called after the replacement returned.
    const auto is_ok_write = [](const Operation& operation) {
      return operation.kind == OperationKind::kWrite && operation.outcome == Outcome::kOk;
    };
    std::vector<size_t> writes;
    for (size_t at = 0; at < history.size(); ++at) {
      if (is_ok_write(history[at])) writes.push_back(at);
    }
    const Operation& first = history[writes[rng.Below(writes.size() / 2)]];
    const auto second = std::find_if(history.begin(), history.end(), [&](const Operation& operation) {
      return is_ok_write(operation) && operation.call_ns > *first.return_ns;
    });
    const auto stale = std::find_if(history.begin(), history.end(), [&](const Operation& operation) {
      return operation.kind == OperationKind::kRead && operation.outcome == Outcome::kOk &&
             operation.call_ns > *second->return_ns;
    });
    ASSERT_TRUE(second != history.end() && stale != history.end());
    stale->value = first.value;
    const CheckReport report = CheckLinearizable(history);
    ASSERT_EQ(report.verdict, Verdict::kNotLinearizable) << "seed " << seed;
    ASSERT_NO_FATAL_FAILURE(ExpectOrderExplains(history, report.keys.front()));
  }
}

constexpr Shape kLarge{
    .operations = 50000, .processes = 8, .unknown_percent = 2, .length_max = 100, .pause_max = 20};

TEST(LinearizabilityAtLength, FiftyThousandOperationsOfOneKeyAreLinearizable) {
  ExpectLinearizable(kLarge, 1);
}

TEST(LinearizabilityAtLength, FiftyThousandOperationsOfFiveValuesAreLinearizable) {
  Shape shape = kLarge;
  shape.values = 5;
  shape.unknown_percent = 0;
  ExpectLinearizable(shape, 2);
}

TEST(LinearizabilityAtLength, WritesThatNobodyReadsCostLittle) {
  Shape shape = kLarge;
  shape.read_percent = 2;
  shape.cas_percent = 0;
  ExpectLinearizable(shape, 3);
}

TEST(LinearizabilityAtLength, TenThousandUnknownWritesDoNotBlowUp) {
  Shape shape = kLarge;
  shape.unknown_percent = 30;
  ExpectLinearizable(shape, 4);
}

TEST(LinearizabilityAtLength, AStaleReadNearTheEndOfFiftyThousandIsFound) {
  Rng rng(5);
  History history = RecordRegister(kLarge, rng);
  const auto write = std::find_if(history.begin(), history.end(), [](const Operation& operation) {
    return operation.kind == OperationKind::kWrite && operation.outcome == Outcome::kOk;
  });
  const auto read = std::find_if(history.rbegin(), history.rend(), [](const Operation& operation) {
    return operation.kind == OperationKind::kRead && operation.outcome == Outcome::kOk;
  });
  read->value = write->value;
  const CheckReport report = CheckLinearizable(history);
  ASSERT_EQ(report.verdict, Verdict::kNotLinearizable);
  EXPECT_GT(report.keys.front().order.size(), 40000u);
  ASSERT_NO_FATAL_FAILURE(ExpectOrderExplains(history, report.keys.front()));
}

}  // namespace
}  // namespace quorate::testing

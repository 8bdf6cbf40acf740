// The history of one key, made ready for the search: values are numbers, time is a row of events, what cannot
// matter is gone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "testing/operation.h"

namespace quorate::testing {

using ValueId = uint32_t;
inline constexpr ValueId kAbsent = 0;
// All values that no read and no comparison names: nothing tells them apart.
inline constexpr ValueId kUnobserved = 1;

using StepId = uint32_t;

struct RegisterStep {
  enum class Kind {
    kRead,    // possible while the key holds `expected`; changes nothing
    kWrite,   // always possible; leaves `written`. A delete writes kAbsent.
    kSwap,    // possible while the key holds `expected`; leaves `written`
    kRefuse,  // a cas that failed: possible while the key holds anything but `expected`; changes nothing
  };
  Kind kind;
  ValueId expected = kAbsent;
  ValueId written = kAbsent;
  bool optional = false;     // of unknown outcome: may never happen, and has no return
  uint32_t alike = 0;        // equal for steps of equal kind, values and `optional`
  uint32_t return_rank = 0;  // order of returns
  size_t operation = 0;      // its index in the whole history
};

struct RegisterEvent {
  StepId step;
  bool is_return;
};

struct ValueUse {
  uint32_t producers = 0;      // steps that leave it, optional ones too; for kAbsent also the beginning
  uint32_t swaps = 0;          // swaps from it that did happen
  int64_t last_observer = -1;  // the event that calls the last read of it, or swap from it, that did happen
};

struct RegisterHistory {
  std::vector<RegisterStep> steps;
  std::vector<RegisterEvent> events;  // by time; at one instant calls before returns
  std::vector<ValueUse> values;       // by ValueId
  uint32_t alike_count = 0;
  bool has_refusals = false;
};

// `members`: the indices in `history` of the operations on one key.
RegisterHistory PrepareRegister(std::span<const Operation> history, std::span<const size_t> members);

// The history up to its first `events` events: what has not returned by then is of unknown outcome.
RegisterHistory Prefix(const RegisterHistory& history, size_t events);

// Asks less: the failed compare-and-sets are gone.
RegisterHistory WithoutRefusals(const RegisterHistory& history);

}  // namespace quorate::testing

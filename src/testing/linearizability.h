// Is a history of reads, writes, deletes and compare-and-sets linearizable: is there one order of all of them
// that respects real time and in which every key behaves as a register, absent at first?
//
// Sources: Herlihy, Wing: Linearizability (1990), whose locality lets each key be checked alone; Wing, Gong:
// Testing and Verifying Concurrent Objects (1993); Lowe: Testing for Linearizability (2017), section 5,
// just-in-time linearization. Pure; any thread; the verdict depends on the history alone.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "testing/operation.h"

namespace quorate::testing {

enum class Verdict {
  kLinearizable,
  kNotLinearizable,
  kGaveUp,  // a bound was reached first; says nothing about the history
};

struct CheckOptions {
  // Of each key and search: how many configurations to look at before giving up; some hundred thousand a
  // second.
  uint64_t configurations_max = 4'000'000;
  // How many of them to hold at a time, of some hundred bytes.
  size_t frontier_max = 200'000;
};

struct KeyReport {
  std::string key;
  size_t operations = 0;
  Verdict verdict = Verdict::kLinearizable;
  // Operations below are indices into the history.
  // kLinearizable: an order that explains the history; operations without effect are left out.
  // kNotLinearizable: one of all that returned before `blocked`. kGaveUp: empty.
  std::vector<size_t> order;
  // kNotLinearizable: the operation at whose return it is certain; until then there was an order. If a bound
  // was reached while looking for it: a later one.
  std::optional<size_t> blocked;
  // kNotLinearizable: what was called before `blocked` returned, could have taken effect, and is not in
  // `order`.
  std::vector<size_t> under_way;
  uint64_t configurations = 0;
};

struct CheckReport {
  // kNotLinearizable if any key is; else kGaveUp if any key is.
  Verdict verdict = Verdict::kLinearizable;
  std::vector<KeyReport> keys;  // by key
};

CheckReport CheckLinearizable(std::span<const Operation> history, const CheckOptions& options = {});

// The report on one key for people, in several lines.
std::string Explain(std::span<const Operation> history, const KeyReport& report);

// `process 3 read -> "a"  [20, 30]`
std::string ToText(const Operation& operation);

}  // namespace quorate::testing

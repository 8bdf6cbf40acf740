// One operation of a client on one key, as its client saw it: the element of a history.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

namespace quorate::testing {

enum class OperationKind { kRead, kWrite, kDelete, kCas };

// What the client knows in the end.
enum class Outcome {
  // It took effect, at one instant from its call to its return.
  kOk,
  // It had no effect. Of a cas: it compared, and the key held something else; one that was refused before it
  // compared
  // is no operation and stays out of the history.
  kFail,
  // Timed out or lost: it takes effect at some instant after its call, however late, or never.
  kUnknown,
};

struct Operation {
  int process = 0;
  OperationKind kind = OperationKind::kRead;
  std::string key;
  // Read: what it saw; write and cas: what it leaves; delete: nothing. nullopt: the key is absent.
  std::optional<std::string> value;
  // Cas only. nullopt: the key has to be absent.
  std::optional<std::string> expected;
  // On one clock for the whole history, which need not be time: a counter of steps orders just as well.
  // Operations that touch (one returns at the instant at which the other is called) count as concurrent.
  int64_t call_ns = 0;
  std::optional<int64_t> return_ns;  // nullopt: of an unknown outcome
  Outcome outcome = Outcome::kOk;

  bool operator==(const Operation&) const = default;
};

}  // namespace quorate::testing

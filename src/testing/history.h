// Histories as JSON lines, so that other checkers can read them: one object a line with the fields `process`,
// `op` (read, write, delete, cas), `key`, `value`, `expected` (of a cas only), `call_ns`, `return_ns` and
// `outcome` (ok, fail, unknown); what they mean stands at Operation. Pure; any thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "testing/operation.h"

namespace quorate::testing {

inline constexpr size_t kHistoryOperationsMax = 5'000'000;  // x ~150 bytes; one more is an error

// With the newline. `value` is null for the absent key and a delete, `return_ns` for an unknown outcome.
// Octets that are not UTF-8 become U+FFFD: keep them out of a history.
std::string ToJsonLine(const Operation& operation);
std::string ToJsonLines(std::span<const Operation> history);

struct HistoryError {
  size_t line = 0;  // from 1
  std::string reason;
};

// In the order of the lines. Accepts empty lines, CR LF, fields in any order, fields of others (ignored), and
// a null for a field that may be left out: `value` where there is none, `return_ns` of an unknown outcome,
// `expected`. A number in `return_ns` of an unknown outcome, when the client stopped waiting, is dropped.
Result<std::vector<Operation>, HistoryError> ParseHistory(std::string_view text);

}  // namespace quorate::testing

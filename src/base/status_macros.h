// Early return of absl::Status at the edges.
#pragma once

#include "absl/status/status.h"
#include "absl/status/statusor.h"

#include <string>

namespace quorate {
// Debian's abseil has a string_view type of its own; this is the message as everybody's string.
inline std::string MessageOf(const absl::Status& status) {
  return std::string(status.message().data(), status.message().size());
}
}  // namespace quorate

#define QUORATE_CONCAT_INNER(a, b) a##b
#define QUORATE_CONCAT(a, b) QUORATE_CONCAT_INNER(a, b)

#define RETURN_IF_ERROR(expression)                           \
  do {                                                        \
    if (absl::Status status_ = (expression); !status_.ok()) { \
      return status_;                                         \
    }                                                         \
  } while (false)

#define ASSIGN_OR_RETURN(declaration, expression) \
  QUORATE_ASSIGN_OR_RETURN(QUORATE_CONCAT(result_, __LINE__), declaration, expression)
#define QUORATE_ASSIGN_OR_RETURN(result, declaration, expression) \
  auto result = (expression);                                     \
  if (!result.ok()) return result.status();                       \
  declaration = *std::move(result)

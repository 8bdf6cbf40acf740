#include "cli/exit_code.h"

#include <algorithm>
#include <array>

namespace quorate::cli {

ExitCode Worse(ExitCode a, ExitCode b) {
  static constexpr std::array kByCare = {ExitCode::kOk,       ExitCode::kFailed,       ExitCode::kUsage,
                                         ExitCode::kNotFound, ExitCode::kPrecondition, ExitCode::kUnavailable,
                                         ExitCode::kUnknown};
  const auto rank = [](ExitCode code) { return std::find(kByCare.begin(), kByCare.end(), code); };
  return rank(a) < rank(b) ? b : a;
}

}  // namespace quorate::cli

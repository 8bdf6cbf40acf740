// An error of a command: what to print, and the exit code.
#pragma once

#include <string>

#include "base/result.h"
#include "cli/exit_code.h"

namespace quorate::cli {

struct CliError {
  ExitCode code = ExitCode::kFailed;
  std::string message;  // one line, without "quorate:"; says what to do next where that is not obvious
};
template <class T>
using CliResult = Result<T, CliError>;

}  // namespace quorate::cli

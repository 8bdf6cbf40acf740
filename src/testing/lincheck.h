// What `quorate-lincheck` says about one file. Pure; any thread.
#pragma once

#include <string>
#include <string_view>

#include "testing/linearizability.h"

namespace quorate::testing {

enum class LincheckExit { kLinearizable = 0, kViolation = 1, kNoVerdict = 2 };

struct FileReport {
  LincheckExit exit = LincheckExit::kLinearizable;
  std::string text;  // `FILE: N operations on K keys: linearizable`, or what is wrong, in several lines
  std::string json;  // one object, one line
};

// `text`: the content of the file named `file`.
FileReport CheckFile(std::string_view file, std::string_view text, const CheckOptions& options);

// For a file that has no content to check.
FileReport Unreadable(std::string_view file, std::string_view reason);

// Of two files. A violation is certain, so it counts before what has no verdict.
LincheckExit Worse(LincheckExit a, LincheckExit b);

}  // namespace quorate::testing

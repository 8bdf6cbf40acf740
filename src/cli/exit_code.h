// What a finished command says to a script.
#pragma once

namespace quorate::cli {

enum class ExitCode : int {
  kOk = 0,
  kFailed = 1,        // refused by the server, or a local failure (a file, a bad reply)
  kUsage = 2,         // the command line makes no sense; nothing was sent
  kNotFound = 3,      // no such record, zone or key
  kUnavailable = 4,   // nobody answered, or no leader: certainly not applied, try again
  kUnknown = 5,       // sent, but no answer says whether it was applied
  kPrecondition = 6,  // --if-revision: it has changed since
  // Of `serve`; 80 to 84 are base/disk_fault.h's.
  kTurnedAway = 85,  // another data directory is this member
};

// The one that a command over several regions ends with: what needs the most care.
ExitCode Worse(ExitCode a, ExitCode b);

inline constexpr const char* kExitCodeHelp =
    "Exit codes: 0 done; 1 refused or failed; 2 wrong usage; 3 not found; 4 unavailable, certainly not "
    "applied "
    "(try again); 5 outcome unknown (look, then decide); 6 precondition failed (it has changed since).";

}  // namespace quorate::cli

// Whether a command makes the state larger: what a replica whose disk is nearly full refuses. Pure.
#pragma once

#include "rsm/command.h"

namespace quorate::rsm {

// A put of any branch of a transaction, records that are added or replaced, a zone, a session. What deletes,
// compacts, changes settings or only reads is let through: it is how room is made.
bool Grows(const Command& command);

}  // namespace quorate::rsm

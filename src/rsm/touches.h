// Which answers a log entry may touch, worked out before it is applied. Pure.
#pragma once

#include "rsm/api.h"
#include "zone/pending.h"

namespace quorate::rsm {

// Cost: of a change of records one pass over its bytes that looks at owners and types, and ends early once
// the whole zone is touched; of any other command its first bytes, so that an import of 32 MB is not read
// here. A command that does not decode touches nothing (it will be refused), nor does a no-op, a
// configuration, or a command on the store: DNS keys are out of its reach.
zone::Touches TouchesOf(const Entry& entry);

}  // namespace quorate::rsm

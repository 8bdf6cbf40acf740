// Which answers a log entry may touch, worked out before it is applied. Pure.
#pragma once

#include "rsm/api.h"
#include "zone/pending.h"

namespace quorate::rsm {

// Cheap for any entry: of a command that replaces whole zones only the apex is read. A command that does not
// decode touches nothing (it will be refused); of a no-op or a configuration nothing is touched.
zone::Touches TouchesOf(const Entry& entry);

}  // namespace quorate::rsm

// The ONE thing that an answer is made from (read-leases: "The view"): loaded with one acquire of one
// pointer.
#pragma once

#include <memory>

#include "base/types.h"
#include "zone/pending.h"
#include "zone/zone_set.h"

namespace quorate::zone {

// Immutable. An entry leaves `pending` only in the version that contains its effect.
struct View {
  std::shared_ptr<const ZoneSet> zones = std::make_shared<const ZoneSet>();
  LogIndex applied;          // `zones` contains the effect of every entry up to here
  PendingPtr pending;        // what is in the log after `applied` and touches DNS
  uint64_t truncations = 0;  // grows whenever pending entries were cut off: who waits for one asks anew
};

}  // namespace quorate::zone

// What the changes of one name amount to: shared by edits and diffs.
#pragma once

#include <span>
#include <vector>

#include "zone/edit.h"

namespace quorate::zone {

// Appends what differs between the RRsets of one name, both in ascending order of type.
void AppendChanges(std::span<const dns::RRset> before, std::span<const dns::RRset> after,
                   std::vector<RRsetChange>& out);

// `rrsets` has a SOA: its serial becomes this.
void SetSerial(std::vector<dns::RRset>& rrsets, dns::Serial serial);

}  // namespace quorate::zone

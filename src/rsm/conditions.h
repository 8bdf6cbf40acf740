// When a command is refused before it runs. Pure.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kv/ordered_map.h"
#include "kv/types.h"
#include "rsm/command.h"
#include "rsm/outcome.h"

namespace quorate::rsm {

struct Conflict {
  std::string reason;
  std::vector<StoredRRset> current;  // of the touched RRsets, those that exist; at most kCurrentMax
};
// Whether what `command` touches changed after command.if_revision.
std::optional<Conflict> FindConflict(const kv::MapReader& map, const Command& command);

// The reserved keyspace that a store client's txn would change; empty: none. Reading is free.
std::string_view ReservedPrefixTouched(const kv::TxnRequest& txn);

}  // namespace quorate::rsm

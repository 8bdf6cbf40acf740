// Zones that come in pieces: each waits in the replicated map, outside the store and unseen, until the last
// command puts them together or their time is over. Pure.
//   "ph" id -> deadline:u64 pieces:u32 bytes:u64        "ps" length:u8 id piece:u32be -> rrset*
#pragma once

#include <functional>
#include <optional>
#include <string>

#include "kv/ordered_map.h"
#include "rsm/command.h"
#include "rsm/outcome.h"

namespace quorate::rsm::staging {

struct Refusal {
  Refused why;
  std::string reason;
};

// Keeps a piece; the same piece again takes the first one's place. Refused: limits::kStagesMax stages are
// open, or this one is over limits::kStageBytesMax.
std::optional<Refusal> Keep(const kv::MapReader& map, const ZoneStage& stage, Duration now,
                            kv::MapBatch& batch);

// Calls `visit` for each RRset of the pieces 0 to `pieces` - 1 in their order, and removes the stage.
// Refused: they are not all there (any more).
std::optional<Refusal> Take(const kv::MapReader& map, const std::string& id, uint32_t pieces,
                            const std::function<void(const dns::RRset&)>& visit, kv::MapBatch& batch);

// Drops what is over, a bounded number of pieces at a time. `in_use` is left alone: the command that is being
// applied writes it.
void Expire(const kv::MapReader& map, Duration now, std::string_view in_use, kv::MapBatch& batch);

}  // namespace quorate::rsm::staging

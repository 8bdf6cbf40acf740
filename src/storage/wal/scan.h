// Reads one segment and tells a torn tail from damage: docs/formats.md "Reading, and what is torn". Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "absl/status/statusor.h"
#include "storage/wal/record.h"
#include "storage/wal/sector.h"

namespace quorate::storage::wal {

// What a segment must continue.
struct Expected {
  uint64_t number = 0;
  uint64_t next_batch = 1;
  // Both unknown for the lowest segment: those before it are gone.
  std::optional<uint64_t> previous_id;
  uint32_t chain = 0;
};

struct Scanned {
  SegmentHeader header;
  bool blank = false;              // no whole first batch: whatever there was is torn
  bool sealed = false;             // the next segment exists
  uint64_t end_sector = 0;         // after the last complete batch
  uint64_t last_batch_sector = 0;  // where that one begins; 0, together with the header, if it is the first
  uint64_t torn_end_sector = 0;    // torn bytes lie in [end_sector, torn_end_sector); 0: the end is clean
  uint64_t next_batch = 0;
  uint32_t chain = 0;
};

// Adds the batches of `bytes`, a whole segment file, to `replay`. Whether a blank, torn or unsealed end may
// be is for the caller to judge, who knows what follows. kDataLoss with the offset; kFailedPrecondition: an
// unknown version.
absl::StatusOr<Scanned> ScanSegment(std::string_view bytes, const Expected& expected, Replay& replay);

}  // namespace quorate::storage::wal

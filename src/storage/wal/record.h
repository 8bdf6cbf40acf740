// The WAL's records and the state that they add up to. docs/formats.md "WAL, version 1".
#pragma once

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "base/bytes.h"
#include "raft/types.h"
#include "storage/api.h"

namespace quorate::storage::wal {

enum class RecordType : uint8_t {
  kOpen = 1,
  kHardState = 2,
  kEntry = 3,
  kTruncate = 4,
  kInstall = 5,
  kBase = 6,
  kSeal = 7,
};

// What a log is at some point, but for its entries: what each segment opens with.
struct Position {
  raft::HardState hard_state;
  raft::SnapshotMeta base;
  LogIndex next{1};  // of the next entry
  bool operator==(const Position&) const = default;
};

void PutOpen(const Position& position, ByteWriter& out);
void PutSeal(ByteWriter& out);
void PutBase(const raft::SnapshotMeta& base, ByteWriter& out);
// The records of `write` after `position`, which moves on. CHECKs that the entries follow without a gap.
void PutWrite(const LogWrite& write, Position& position, ByteWriter& out);

// The greatest live index in each segment, oldest segment first; 0: none. Tells compaction which segments can
// go.
using SegmentLasts = std::vector<LogIndex>;
// Entries from `from` on were replaced: no segment holds them any more.
void CutSegments(LogIndex from, SegmentLasts& lasts);

// Adds records up. Trusts nothing: every error is kDataLoss.
class Replay {
 public:
  // The records that follow are those of the next segment, which has to begin with OPEN.
  void BeginSegment();
  // The records of one batch.
  absl::Status Add(std::string_view records);
  bool sealed() const { return sealed_; }  // the last batch was a SEAL
  const Position& position() const { return position_; }
  const SegmentLasts& segment_lasts() const { return lasts_; }
  // Everything, once the last batch was added. kDataLoss: entries are missing.
  absl::StatusOr<RecoveredLog> Finish();

 private:
  absl::Status AddRecord(RecordType type, ByteReader& in);
  absl::Status OnOpen(ByteReader& in);
  absl::Status OnEntry(ByteReader& in);
  absl::Status OnTruncate(LogIndex from);
  absl::Status OnInstall(bool keep_suffix, raft::SnapshotMeta base);
  absl::Status OnBase(raft::SnapshotMeta base);

  bool started_ = false;
  bool opening_ = false;
  bool sealed_ = false;
  Position position_;
  std::deque<raft::LogEntry> entries_;  // those at hand; older ones may have gone with their segments
  SegmentLasts lasts_;
};

}  // namespace quorate::storage::wal

// What a snapshot file holds, checked as a replica would have to trust it.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "kv/live_scan.h"
#include "rsm/api.h"
#include "storage/snapshot_file.h"
#include "zone/builder.h"

namespace quorate::app {

struct ZoneSummary {
  std::string apex;
  uint32_t serial = 0;
  uint64_t records = 0;
};

struct SnapshotSummary {
  storage::SnapshotFileMeta meta;
  uint64_t bytes = 0;     // of the file
  uint64_t map_keys = 0;  // all that is kept: old versions, sessions
  uint64_t keys = 0;      // of the store, live
  std::vector<ZoneSummary> zones;
};

// Goes through the pairs of a snapshot in their order. Holds one zone at a time. One thread.
class SnapshotCheck {
 public:
  // kDataLoss says what is wrong.
  absl::Status Add(std::string_view key, std::string_view value);
  // After the last pair: the zones, and that the pairs are those of `meta`.
  absl::Status Finish(const storage::SnapshotFileMeta& meta);

  uint64_t keys() const { return live_.keys(); }
  const std::vector<ZoneSummary>& zones() const { return zones_; }

 private:
  absl::Status AddRecord(const kv::LiveScan::Live& pair);
  absl::Status AddSettings(const kv::LiveScan::Live& pair);
  absl::Status FinishZone();

  kv::LiveScan live_;
  dns::Name apex_;
  std::optional<zone::ZoneBuilder> builder_;  // of apex_
  std::vector<ZoneSummary> zones_;
  std::optional<rsm::AppliedAt> applied_;
};

// Reads the whole of `path` ("-": stdin). The error names the file, what is wrong, and where.
absl::StatusOr<SnapshotSummary> CheckSnapshotFile(const std::string& path);

// Gives the bytes of `path` ("-": stdin) piece by piece; stops at the first error of `feed`.
absl::Status ReadInPieces(const std::string& path, const std::function<absl::Status(std::string_view)>& feed);

}  // namespace quorate::app

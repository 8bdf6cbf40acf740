// The WAL's physical layer: segment headers, data sectors, batches cut into sectors. docs/formats.md "WAL,
// version 1". Pure functions over bytes.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace quorate::storage::wal {

inline constexpr uint32_t kVersion = 1;
inline constexpr size_t kSectorBytes = 512;
inline constexpr size_t kSectorHeaderBytes = 4 + 8;
inline constexpr size_t kSectorDataBytes = kSectorBytes - kSectorHeaderBytes;
inline constexpr size_t kBatchHeaderBytes = 4 + 4;
inline constexpr size_t kMinSectors = 3;  // header, one batch, SEAL

struct SegmentHeader {
  uint64_t number = 0;
  uint64_t id = 0;
  uint64_t previous_id = 0;
  uint64_t first_batch = 0;
  uint32_t chain = 0;  // before its first batch
  uint64_t bytes = 0;  // of the file
  bool operator==(const SegmentHeader&) const = default;
};

std::string EncodeHeader(const SegmentHeader& header);
// kDataLoss: damaged. kFailedPrecondition: intact, of an unknown version.
absl::StatusOr<SegmentHeader> DecodeHeader(std::string_view sector);

// Where a batch lies.
struct BatchPlace {
  uint64_t segment_id = 0;
  uint64_t first_sector = 0;  // in the file
  uint64_t number = 0;
};

// How many data sectors a batch with that many bytes of records takes.
size_t SectorsFor(size_t record_bytes);
uint32_t NextChain(uint32_t chain, std::string_view records);
// The sectors of a batch; `chain` is that of the batch itself.
std::string EncodeBatch(const BatchPlace& place, uint32_t chain, std::string_view records);

enum class SectorState : uint8_t { kZero, kGood, kDamaged };
struct SectorView {
  SectorState state = SectorState::kZero;
  uint64_t batch = 0;     // what it says; believe it only if kGood
  std::string_view data;  // kSectorDataBytes
};
bool IsZero(std::string_view bytes);
SectorView ReadSector(std::string_view sector, uint64_t segment_id, uint64_t number);

}  // namespace quorate::storage::wal

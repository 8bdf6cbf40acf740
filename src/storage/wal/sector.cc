#include "storage/wal/sector.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/check.h"
#include "base/crc32c.h"

namespace quorate::storage::wal {
namespace {

constexpr std::string_view kMagic = "QUORWAL\n";
constexpr size_t kHeaderCrcAt = kSectorBytes - 4;

uint32_t SectorSeed(uint64_t segment_id, uint64_t sector) {
  ByteWriter seed(16);
  seed.U64(segment_id);
  seed.U64(sector);
  return Crc32c(seed.str());
}

}  // namespace

std::string EncodeHeader(const SegmentHeader& header) {
  ByteWriter out(kSectorBytes);
  out.Raw(kMagic);
  out.U32(kVersion);
  out.U32(0);
  out.U64(header.number);
  out.U64(header.id);
  out.U64(header.previous_id);
  out.U64(header.first_batch);
  out.U32(header.chain);
  out.U32(0);
  out.U64(header.bytes);
  out.Raw(std::string(kHeaderCrcAt - out.str().size(), '\0'));
  out.U32(Crc32c(out.str()));
  return out.Take();
}

absl::StatusOr<SegmentHeader> DecodeHeader(std::string_view sector) {
  CHECK_EQ(sector.size(), kSectorBytes);
  ByteReader crc(sector.substr(kHeaderCrcAt));
  if (crc.U32() != Crc32c(sector.substr(0, kHeaderCrcAt))) {
    return absl::DataLossError("the segment header is damaged (checksum)");
  }
  ByteReader in(sector.substr(0, kHeaderCrcAt));
  if (in.Raw(kMagic.size()) != kMagic) return absl::DataLossError("not a log segment");
  const uint32_t version = in.U32();
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "log format version ", version, " is not known to this program, which reads version ", kVersion));
  }
  in.U32();
  SegmentHeader header;
  header.number = in.U64();
  header.id = in.U64();
  header.previous_id = in.U64();
  header.first_batch = in.U64();
  header.chain = in.U32();
  in.U32();
  header.bytes = in.U64();
  return header;
}

size_t SectorsFor(size_t record_bytes) {
  return (kBatchHeaderBytes + record_bytes + kSectorDataBytes - 1) / kSectorDataBytes;
}

uint32_t NextChain(uint32_t chain, std::string_view records) {
  ByteWriter head(8);
  head.U32(chain);
  head.U32(static_cast<uint32_t>(records.size()));
  return Crc32c(records, Crc32c(head.str()));
}

std::string EncodeBatch(const BatchPlace& place, uint32_t chain, std::string_view records) {
  ByteWriter head(kBatchHeaderBytes);
  head.U32(static_cast<uint32_t>(records.size()));
  head.U32(chain);
  const size_t sectors = SectorsFor(records.size());
  std::string out;
  out.reserve(sectors * kSectorBytes);
  std::string data(head.str());
  for (size_t i = 0; i < sectors; ++i) {
    const size_t take = std::min(kSectorDataBytes - data.size(), records.size());
    data.append(records.substr(0, take));
    records.remove_prefix(take);
    data.resize(kSectorDataBytes, '\0');
    ByteWriter number(8);
    number.U64(place.number);
    const uint32_t crc =
        Crc32c(data, Crc32c(number.str(), SectorSeed(place.segment_id, place.first_sector + i)));
    ByteWriter sum(4);
    sum.U32(crc);
    out.append(sum.str()).append(number.str()).append(data);
    data.clear();
  }
  return out;
}

bool IsZero(std::string_view bytes) {
  return std::all_of(bytes.begin(), bytes.end(), [](char c) { return c == 0; });
}

SectorView ReadSector(std::string_view sector, uint64_t segment_id, uint64_t number) {
  CHECK_EQ(sector.size(), kSectorBytes);
  ByteReader in(sector);
  const uint32_t crc = in.U32();
  SectorView view;
  view.batch = in.U64();
  view.data = sector.substr(kSectorHeaderBytes);
  // A batch number is never 0, so a zero one needs the full look.
  if (view.batch == 0 && IsZero(sector)) return view;
  const bool good = view.batch != 0 && crc == Crc32c(sector.substr(4), SectorSeed(segment_id, number));
  view.state = good ? SectorState::kGood : SectorState::kDamaged;
  return view;
}

}  // namespace quorate::storage::wal

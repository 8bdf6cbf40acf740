#include "storage/wal/scan.h"

#include <algorithm>
#include <string>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/status_macros.h"

namespace quorate::storage::wal {
namespace {

absl::Status DamageAt(uint64_t sector, absl::string_view what) {
  return absl::DataLossError(absl::StrCat("offset ", sector * kSectorBytes, ": ", what));
}

std::string_view SectorAt(std::string_view bytes, uint64_t sector) {
  return bytes.substr(sector * kSectorBytes, kSectorBytes);
}

class Scanner {
 public:
  Scanner(std::string_view bytes, const Expected& expected, Replay& replay)
      : bytes_(bytes), sectors_(bytes.size() / kSectorBytes), expected_(expected), replay_(replay) {}

  absl::StatusOr<Scanned> Run() {
    if (bytes_.size() % kSectorBytes != 0 || sectors_ < kMinSectors) {
      return absl::DataLossError(absl::StrCat("its length ", bytes_.size(), " is not that of a segment"));
    }
    out_.next_batch = expected_.next_batch;
    out_.chain = expected_.chain;
    if (IsZero(SectorAt(bytes_, 0))) return Blank();
    RETURN_IF_ERROR(TakeHeader());
    out_.end_sector = 1;
    while (out_.end_sector < sectors_) {
      ASSIGN_OR_RETURN(const bool complete, TakeBatch());
      if (!complete) break;
      out_.sealed = replay_.sealed();
      if (out_.sealed) return out_;
    }
    RETURN_IF_ERROR(CheckTail(out_.end_sector));
    if (out_.end_sector == 1) return Torn();
    return out_;
  }

 private:
  SectorView View(uint64_t sector) const {
    return ReadSector(SectorAt(bytes_, sector), out_.header.id, sector);
  }

  absl::Status TakeHeader() {
    auto decoded = DecodeHeader(SectorAt(bytes_, 0));
    if (!decoded.ok()) {
      return absl::Status(decoded.status().code(), absl::StrCat("offset 0: ", decoded.status().message()));
    }
    const SegmentHeader& header = out_.header = *decoded;
    if (header.number != expected_.number) {
      return DamageAt(0, absl::StrCat("the header is that of segment ", header.number));
    }
    if (header.bytes != bytes_.size()) {
      return DamageAt(0, absl::StrCat("the file has ", bytes_.size(), " bytes of ", header.bytes));
    }
    if (!expected_.previous_id.has_value()) {
      out_.next_batch = header.first_batch;
      out_.chain = header.chain;
      return absl::OkStatus();
    }
    if (header.previous_id != *expected_.previous_id || header.first_batch != expected_.next_batch ||
        header.chain != expected_.chain) {
      return DamageAt(0, "the segment does not continue the one before it");
    }
    return absl::OkStatus();
  }

  // Adds the batch at end_sector and moves on. False: it is not complete, and no sector of it is damaged.
  absl::StatusOr<bool> TakeBatch() {
    const uint64_t first = out_.end_sector;
    ASSIGN_OR_RETURN(const SectorView head, TakeSector(first));
    if (head.state == SectorState::kZero) return false;
    ByteReader in(head.data);
    const uint32_t length = in.U32();
    const uint32_t chain = in.U32();
    const uint64_t count = SectorsFor(length);
    if (count > sectors_ - first) return DamageAt(first, "a batch reaches past the segment's end");
    std::string data(head.data);
    for (uint64_t i = 1; i < count; ++i) {
      ASSIGN_OR_RETURN(const SectorView view, TakeSector(first + i));
      if (view.state == SectorState::kZero) return false;
      data.append(view.data);
    }
    const std::string_view records = std::string_view(data).substr(kBatchHeaderBytes, length);
    if (chain != NextChain(out_.chain, records))
      return DamageAt(first, "the batch does not follow the one before it");
    if (first == 1) replay_.BeginSegment();
    if (absl::Status status = replay_.Add(records); !status.ok()) return DamageAt(first, status.message());
    out_.chain = chain;
    ++out_.next_batch;
    out_.last_batch_sector = first == 1 ? 0 : first;
    out_.end_sector = first + count;
    return true;
  }

  absl::StatusOr<SectorView> TakeSector(uint64_t sector) const {
    const SectorView view = View(sector);
    if (view.state == SectorState::kDamaged) return DamageAt(sector, "the sector is damaged (checksum)");
    if (view.state == SectorState::kGood && view.batch != out_.next_batch) {
      return DamageAt(sector, absl::StrCat("a sector of batch ", view.batch, " where batch ", out_.next_batch,
                                           " was expected"));
    }
    return view;
  }

  // From `from` on there is nothing, or pieces of one unfinished batch; anything else proves that more was
  // synced.
  absl::Status CheckTail(uint64_t from) {
    for (uint64_t sector = from; sector < sectors_; ++sector) {
      ASSIGN_OR_RETURN(const SectorView view, TakeSector(sector));
      if (view.state == SectorState::kGood) out_.torn_end_sector = sector + 1;
    }
    return absl::OkStatus();
  }

  // The header never reached the disk. Without the id the rest cannot be verified, but it says its batch.
  absl::StatusOr<Scanned> Blank() {
    for (uint64_t sector = 1; sector < sectors_; ++sector) {
      const std::string_view bytes = SectorAt(bytes_, sector);
      if (IsZero(bytes)) continue;
      if (ReadSector(bytes, 0, sector).batch != expected_.next_batch) {
        return DamageAt(0, "the header is gone, but the segment was in use");
      }
      out_.torn_end_sector = sector + 1;
    }
    return Torn();
  }

  // The first batch is not whole, so neither it nor the header counts.
  Scanned Torn() {
    out_.blank = true;
    if (!IsZero(SectorAt(bytes_, 0))) out_.torn_end_sector = std::max<uint64_t>(out_.torn_end_sector, 1);
    out_.end_sector = 0;
    return out_;
  }

  const std::string_view bytes_;
  const uint64_t sectors_;
  const Expected& expected_;
  Replay& replay_;
  Scanned out_;
};

}  // namespace

absl::StatusOr<Scanned> ScanSegment(std::string_view bytes, const Expected& expected, Replay& replay) {
  return Scanner(bytes, expected, replay).Run();
}

}  // namespace quorate::storage::wal

#include "storage/wal/wal.h"

#include <algorithm>
#include <atomic>
#include <random>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/check.h"
#include "base/rng.h"
#include "base/sim_hooks.h"
#include "base/status_macros.h"
#include "storage/wal/record.h"
#include "storage/wal/recovery.h"
#include "storage/wal/sector.h"
#include "storage/wal/segment_preparer.h"

namespace quorate::storage {
namespace wal {
namespace {

uint64_t DrawSeed() {
  std::random_device device;
  return (uint64_t{device()} << 32) | device();
}

size_t SegmentBytes(const WalOptions& options) {
  return std::max(kMinSectors, (options.segment_bytes + kSectorBytes - 1) / kSectorBytes) * kSectorBytes;
}

class Wal final : public LogStore {
 public:
  Wal(FileSystem& files, std::string directory, const WalOptions& options)
      : files_(files),
        directory_(std::move(directory)),
        options_(options),
        ids_(options.id_seed != 0 ? options.id_seed : DrawSeed()),
        preparer_(files, directory_, SegmentBytes(options), options.prepare_in_background) {}

  absl::StatusOr<RecoveredLog> Recover() override;
  absl::Status Write(std::span<const LogWrite> batch) override;
  absl::Status Compact(const raft::SnapshotMeta& base) override;
  size_t bytes() const override { return bytes_.load(std::memory_order_relaxed); }

 private:
  absl::StatusOr<RecoveredLog> RecoverAndOpen();
  void Continue(Recovered recovered);

  absl::Status WriteRecords(const Position& before, std::string_view records);
  absl::Status WriteHere(std::string_view records);
  absl::Status Rotate(const Position& before, std::string_view records);
  absl::Status BeginSegment(uint64_t number, std::string_view records);
  absl::Status RemoveCovered();
  void TrackEntries(std::span<const LogWrite> batch);
  void AddUsed(size_t bytes);

  FileSystem& files_;
  const std::string directory_;
  const WalOptions options_;
  Rng ids_;

  bool recovered_ = false;
  absl::Status poison_;  // the first error; it stays
  Position position_;
  std::vector<SegmentUse> segments_;  // lowest first; the last is being written
  SegmentLasts lasts_;                // of segments_
  std::atomic<size_t> bytes_{0};

  // Of the segment being written.
  std::unique_ptr<File> file_;
  size_t file_bytes_ = 0;
  uint64_t id_ = 0;
  uint64_t next_sector_ = 0;
  uint64_t next_batch_ = 1;
  uint32_t chain_ = 0;

  SegmentPreparer preparer_;  // last: its thread ends before the rest goes
};

absl::StatusOr<RecoveredLog> Wal::Recover() {
  CHECK(!recovered_);
  recovered_ = true;
  auto log = RecoverAndOpen();
  if (!log.ok()) poison_ = log.status();
  return log;
}

absl::StatusOr<RecoveredLog> Wal::RecoverAndOpen() {
  ASSIGN_OR_RETURN(Recovered recovered, RecoverDirectory(files_, directory_, options_.expect_existing));
  RecoveredLog log = std::move(recovered.log);
  Continue(std::move(recovered));
  if (next_sector_ != 0) return log;
  const uint64_t number = segments_.empty() ? 1 : segments_.back().number + 1;
  if (file_ == nullptr) {
    ASSIGN_OR_RETURN(PreparedFile prepared, preparer_.Take(SegmentPath(directory_, number), 0));
    file_ = std::move(prepared.file);
    file_bytes_ = prepared.bytes;
  }
  ByteWriter open;
  PutOpen(position_, open);
  RETURN_IF_ERROR(BeginSegment(number, open.str()));
  return log;
}

void Wal::Continue(Recovered recovered) {
  position_ = std::move(recovered.position);
  segments_ = std::move(recovered.segments);
  lasts_ = std::move(recovered.lasts);
  for (const SegmentUse& segment : segments_) bytes_ += segment.bytes;
  file_ = std::move(recovered.file);
  file_bytes_ = recovered.file_bytes;
  next_sector_ = recovered.next_sector;
  id_ = recovered.segment_id;
  next_batch_ = recovered.next_batch;
  chain_ = recovered.chain;
}

absl::Status Wal::Write(std::span<const LogWrite> batch) {
  CHECK(recovered_);
  if (!poison_.ok()) return poison_;
  const Position before = position_;
  ByteWriter records;
  for (const LogWrite& write : batch) PutWrite(write, position_, records);
  if (records.str().empty()) return absl::OkStatus();
  poison_ = WriteRecords(before, records.str());
  if (poison_.ok()) TrackEntries(batch);
  return poison_;
}

absl::Status Wal::Compact(const raft::SnapshotMeta& base) {
  CHECK(recovered_);
  if (!poison_.ok()) return poison_;
  if (base.last_index <= position_.base.last_index) return absl::OkStatus();
  CHECK_LT(base.last_index, position_.next);
  const Position before = position_;
  ByteWriter records;
  PutBase(base, records);
  position_.base = base;
  poison_ = WriteRecords(before, records.str());
  if (poison_.ok()) poison_ = RemoveCovered();
  return poison_;
}

absl::Status Wal::WriteRecords(const Position& before, std::string_view records) {
  constexpr size_t kBatchBytesMax = size_t{1} << 31;  // lengths are u32; far above what the queues let wait
  CHECK_LT(records.size(), kBatchBytesMax);
  const uint64_t sectors_for_batches = file_bytes_ / kSectorBytes - 1;  // one is SEAL's
  if (next_sector_ + SectorsFor(records.size()) > sectors_for_batches) return Rotate(before, records);
  RETURN_IF_ERROR(WriteHere(records));
  if (next_sector_ * kSectorBytes > file_bytes_ / 2) preparer_.Prepare();
  return absl::OkStatus();
}

// One write, one sync.
absl::Status Wal::WriteHere(std::string_view records) {
  const uint32_t chain = NextChain(chain_, records);
  const std::string sectors = EncodeBatch({id_, next_sector_, next_batch_}, chain, records);
  RETURN_IF_ERROR(file_->WriteAt(next_sector_ * kSectorBytes, sectors));
  RETURN_IF_ERROR(file_->Sync());
  chain_ = chain;
  ++next_batch_;
  next_sector_ += sectors.size() / kSectorBytes;
  AddUsed(sectors.size());
  return absl::OkStatus();
}

absl::Status Wal::Rotate(const Position& before, std::string_view records) {
  ByteWriter opening(records.size() + kSectorBytes);
  PutOpen(before, opening);
  opening.Raw(records);
  const uint64_t number = segments_.back().number + 1;
  const size_t sectors = 1 + SectorsFor(opening.str().size()) + 1;  // header, batch, SEAL
  ASSIGN_OR_RETURN(PreparedFile next,
                   preparer_.Take(SegmentPath(directory_, number), sectors * kSectorBytes));
  ByteWriter seal;
  PutSeal(seal);
  RETURN_IF_ERROR(WriteHere(seal.str()));
  file_ = std::move(next.file);
  file_bytes_ = next.bytes;
  return BeginSegment(number, opening.str());
}

// Header and first batch of file_, in one write and one sync.
absl::Status Wal::BeginSegment(uint64_t number, std::string_view records) {
  const SegmentHeader header{.number = number,
                             .id = ids_.Next(),
                             .previous_id = id_,
                             .first_batch = next_batch_,
                             .chain = chain_,
                             .bytes = file_bytes_};
  const uint32_t chain = NextChain(chain_, records);
  const std::string sectors = EncodeHeader(header) + EncodeBatch({header.id, 1, next_batch_}, chain, records);
  if (sectors.size() + kSectorBytes > file_bytes_) {
    return absl::DataLossError(absl::StrCat("log segment ", SegmentPath(directory_, number),
                                            ": it was cut to ", file_bytes_, " bytes"));
  }
  RETURN_IF_ERROR(file_->WriteAt(0, sectors));
  RETURN_IF_ERROR(file_->Sync());
  id_ = header.id;
  chain_ = chain;
  ++next_batch_;
  next_sector_ = sectors.size() / kSectorBytes;
  segments_.push_back({number, 0});
  lasts_.push_back(LogIndex{0});
  AddUsed(sectors.size());
  return absl::OkStatus();
}

void Wal::AddUsed(size_t bytes) {
  segments_.back().bytes += bytes;
  bytes_.fetch_add(bytes, std::memory_order_relaxed);
}

void Wal::TrackEntries(std::span<const LogWrite> batch) {
  for (const LogWrite& write : batch) {
    if (write.install.has_value() && !write.keep_log_suffix) CutSegments(LogIndex{0}, lasts_);
    if (write.append.empty()) continue;
    CutSegments(write.append.front().index, lasts_);
    lasts_.back() = write.append.back().index;
  }
}

// Lowest first, each removal durable before the next: a crash never leaves a gap.
absl::Status Wal::RemoveCovered() {
  while (segments_.size() > 1 && lasts_.front() <= position_.base.last_index) {
    SIM_PROBE("wal.segment-dropped", true);
    RETURN_IF_ERROR(files_.Remove(SegmentPath(directory_, segments_.front().number)));
    RETURN_IF_ERROR(files_.SyncDirectory(directory_));
    bytes_.fetch_sub(segments_.front().bytes, std::memory_order_relaxed);
    segments_.erase(segments_.begin());
    lasts_.erase(lasts_.begin());
  }
  return absl::OkStatus();
}

}  // namespace
}  // namespace wal

absl::StatusOr<std::unique_ptr<LogStore>> OpenWal(FileSystem& files, std::string directory,
                                                  const WalOptions& options) {
  return std::make_unique<wal::Wal>(files, std::move(directory), options);
}

}  // namespace quorate::storage

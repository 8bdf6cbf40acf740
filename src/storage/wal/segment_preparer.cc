#include "storage/wal/segment_preparer.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/status_macros.h"
#include "storage/wal/sector.h"

namespace quorate::storage::wal {
namespace {

constexpr size_t kPieceBytes = size_t{1} << 20;

absl::Status WriteZeros(File& file, size_t bytes) {
  const std::string zeros(std::min(bytes, kPieceBytes), '\0');
  for (size_t done = 0; done < bytes; done += zeros.size()) {
    RETURN_IF_ERROR(file.WriteAt(done, std::string_view(zeros).substr(0, bytes - done)));
  }
  return file.Sync();
}

}  // namespace

SegmentPreparer::SegmentPreparer(FileSystem& files, std::string directory, size_t segment_bytes,
                                 bool background)
    : files_(files),
      directory_(std::move(directory)),
      spare_(absl::StrCat(directory_, "/", kSpareName)),
      segment_bytes_(segment_bytes),
      background_(background) {}

void SegmentPreparer::Prepare() {
  if (!background_ || next_.valid()) return;
  next_ = std::async(std::launch::async, [this] { return MakeSpare(segment_bytes_); });
}

absl::StatusOr<PreparedFile> SegmentPreparer::MakeSpare(size_t bytes) {
  ASSIGN_OR_RETURN(auto file, files_.Create(spare_));
  if (absl::Status status = WriteZeros(*file, bytes); !status.ok()) {
    // Give a full disk its room back; the error that counts is the first one.
    files_.Remove(spare_).IgnoreError();
    return absl::Status(
        status.code(), absl::StrCat("cannot prepare a log segment of ", bytes, " bytes: ", status.message()));
  }
  return PreparedFile{std::move(file), bytes};
}

absl::StatusOr<PreparedFile> SegmentPreparer::Take(const std::string& path, size_t bytes_min) {
  absl::StatusOr<PreparedFile> next = absl::UnavailableError("none prepared");
  if (next_.valid()) next = next_.get();
  // One that failed, perhaps for a disk that was full, is tried again now that it is needed: nothing depends
  // on it yet.
  if (!next.ok() || next->bytes < bytes_min) {
    next = MakeSpare((std::max(segment_bytes_, bytes_min) + kSectorBytes - 1) / kSectorBytes * kSectorBytes);
  }
  if (!next.ok()) return next.status();
  RETURN_IF_ERROR(files_.Rename(spare_, path));
  RETURN_IF_ERROR(files_.SyncDirectory(directory_));
  return next;
}

}  // namespace quorate::storage::wal

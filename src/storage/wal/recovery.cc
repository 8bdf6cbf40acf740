#include "storage/wal/recovery.h"

#include <charconv>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/sim_hooks.h"
#include "base/status_macros.h"
#include "storage/wal/segment_preparer.h"

namespace quorate::storage::wal {
namespace {

constexpr size_t kNameDigits = 16;
constexpr std::string_view kSuffix = ".wal";

std::string SegmentName(uint64_t number) { return absl::StrFormat("%016x.wal", number); }

// nullopt: not a segment's name.
std::optional<uint64_t> SegmentNumber(std::string_view name) {
  if (name.size() != kNameDigits + kSuffix.size() || !name.ends_with(kSuffix)) return std::nullopt;
  uint64_t number = 0;
  const auto [at, error] = std::from_chars(name.data(), name.data() + kNameDigits, number, 16);
  if (error != std::errc() || number == 0 || SegmentName(number) != name) return std::nullopt;
  return number;
}

struct Loaded {
  uint64_t number = 0;
  std::unique_ptr<File> file;
  std::string bytes;
  Scanned scanned;
};

class Recovery {
 public:
  Recovery(FileSystem& files, const std::string& directory, bool expect_existing)
      : files_(files), directory_(directory), expect_existing_(expect_existing) {}

  absl::StatusOr<Recovered> Run() {
    RETURN_IF_ERROR(ListSegments());
    if (numbers_.empty()) return std::move(out_);
    RETURN_IF_ERROR(ScanAll());
    ASSIGN_OR_RETURN(out_.log, replay_.Finish());
    out_.log.torn_tail = end_.scanned.torn_end_sector != 0;
    SIM_PROBE("wal.torn-tail-dropped", out_.log.torn_tail);
    SIM_PROBE("wal.blank-last-segment", end_.scanned.blank && numbers_.size() > 1);
    out_.position = replay_.position();
    out_.lasts = replay_.segment_lasts();
    RETURN_IF_ERROR(MakeEndSafe());
    out_.file = std::move(end_.file);
    out_.file_bytes = end_.bytes.size();
    out_.next_sector = end_.scanned.end_sector;
    return std::move(out_);
  }

 private:
  absl::Status Gone() const {
    return absl::DataLossError(absl::StrCat(
        "the log in ", directory_, " is gone, though there was one: acknowledged entries may be lost"));
  }

  absl::Status DamageIn(uint64_t number, absl::string_view what) const {
    return absl::DataLossError(absl::StrCat("log segment ", SegmentPath(directory_, number), ": ", what));
  }

  absl::Status ListSegments() {
    auto names = files_.List(directory_);
    if (absl::IsNotFound(names.status()))
      return expect_existing_ ? Gone() : files_.CreateDirectory(directory_);
    if (!names.ok()) return names.status();
    for (const std::string& name : *names) {
      if (name == kSpareName) RETURN_IF_ERROR(files_.Remove(absl::StrCat(directory_, "/", name)));
      if (const auto number = SegmentNumber(name)) numbers_.push_back(*number);
    }
    if (numbers_.empty() && expect_existing_) return Gone();
    for (size_t i = 1; i < numbers_.size(); ++i) {
      if (numbers_[i] != numbers_[i - 1] + 1) return DamageIn(numbers_[i - 1] + 1, "the file is missing");
    }
    return absl::OkStatus();
  }

  // A file that cannot be read may have held acknowledged entries.
  absl::StatusOr<Loaded> Load(uint64_t number) {
    Loaded loaded{.number = number};
    auto file = files_.Open(SegmentPath(directory_, number));
    if (!file.ok()) return DamageIn(number, file.status().message());
    auto bytes = (*file)->ReadAll();
    if (!bytes.ok()) return DamageIn(number, bytes.status().message());
    loaded.file = *std::move(file);
    loaded.bytes = *std::move(bytes);
    return loaded;
  }

  absl::Status ScanAll() {
    Expected expected{.number = numbers_.front()};
    for (const uint64_t number : numbers_) {
      before_ = std::exchange(end_, Loaded{});
      ASSIGN_OR_RETURN(end_, Load(number));
      auto scanned = ScanSegment(end_.bytes, expected, replay_);
      if (!scanned.ok()) {
        return absl::Status(
            scanned.status().code(),
            absl::StrCat("log segment ", SegmentPath(directory_, number), ": ", scanned.status().message()));
      }
      end_.scanned = *scanned;
      ASSIGN_OR_RETURN(const bool more, Judge(number == numbers_.back()));
      if (scanned->blank) break;
      out_.segments.push_back({number, scanned->end_sector * kSectorBytes});
      out_.segment_id = scanned->header.id;
      out_.next_batch = scanned->next_batch;
      out_.chain = scanned->chain;
      if (!more) break;
      expected = {number + 1, scanned->next_batch, scanned->header.id, scanned->chain};
    }
    return absl::OkStatus();
  }

  // Whether the way end_ ends goes with its place in the row. True: go on with the next one.
  absl::StatusOr<bool> Judge(bool last) {
    const Scanned& scanned = end_.scanned;
    if (scanned.blank) {
      if (!last) return DamageIn(end_.number, "the segment is empty, but another one follows");
      if (end_.number != 1 && before_.file == nullptr)
        return DamageIn(end_.number - 1, "the file is missing");
      // The first batch of a log is OPEN alone and synced before anybody relies on it.
      if (end_.number == 1 && expect_existing_) return Gone();
      return false;
    }
    if (scanned.sealed) {
      if (last) return DamageIn(end_.number + 1, "the file is missing");
      return true;
    }
    if (!last) RETURN_IF_ERROR(DropUnusedNext());
    return false;
  }

  // A rotation cut short between its first two steps leaves a segment of zeros after one that has no SEAL.
  absl::Status DropUnusedNext() {
    const std::string what = absl::StrCat("offset ", end_.scanned.end_sector * kSectorBytes,
                                          ": no SEAL, but another segment follows");
    if (end_.number + 1 != numbers_.back() || end_.scanned.torn_end_sector != 0)
      return DamageIn(end_.number, what);
    ASSIGN_OR_RETURN(const Loaded next, Load(end_.number + 1));
    if (!IsZero(next.bytes)) return DamageIn(end_.number, what);
    SIM_PROBE("wal.rotation-cut-short", true);
    RETURN_IF_ERROR(files_.Remove(SegmentPath(directory_, next.number)));
    return files_.SyncDirectory(directory_);
  }

  // The last process may have ended before its sync, or after a failed one: what we read is then in the page
  // cache alone. Writing it again makes the sync true.
  static absl::Status RewriteLastBatch(Loaded& segment) {
    const size_t from = segment.scanned.last_batch_sector * kSectorBytes;
    const size_t to = segment.scanned.end_sector * kSectorBytes;
    RETURN_IF_ERROR(segment.file->WriteAt(from, std::string_view(segment.bytes).substr(from, to - from)));
    return segment.file->Sync();
  }

  absl::Status MakeEndSafe() {
    const Scanned& scanned = end_.scanned;
    if (scanned.torn_end_sector > scanned.end_sector) {
      const std::string zeros((scanned.torn_end_sector - scanned.end_sector) * kSectorBytes, '\0');
      RETURN_IF_ERROR(end_.file->WriteAt(scanned.end_sector * kSectorBytes, zeros));
      RETURN_IF_ERROR(end_.file->Sync());
    }
    if (!scanned.blank) {
      RETURN_IF_ERROR(RewriteLastBatch(end_));
    } else if (before_.file != nullptr) {
      RETURN_IF_ERROR(RewriteLastBatch(before_));
    }
    return files_.SyncDirectory(directory_);
  }

  FileSystem& files_;
  const std::string& directory_;
  const bool expect_existing_;
  std::vector<uint64_t> numbers_;
  Replay replay_;
  Loaded before_, end_;
  Recovered out_;
};

}  // namespace

std::string SegmentPath(const std::string& directory, uint64_t number) {
  return absl::StrCat(directory, "/", SegmentName(number));
}

absl::StatusOr<Recovered> RecoverDirectory(FileSystem& files, const std::string& directory,
                                           bool expect_existing) {
  return Recovery(files, directory, expect_existing).Run();
}

}  // namespace quorate::storage::wal

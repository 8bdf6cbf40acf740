#include "storage/snapshot_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/status_macros.h"
#include "raft/codec.h"

namespace quorate::storage {
namespace {

using std::chrono::milliseconds;

constexpr std::string_view kMagic = "QUORSNAP";
constexpr uint32_t kVersion = 1;
constexpr size_t kFixedBytes = kMagic.size() + 4 + 4;
constexpr size_t kMetaBytesMax = size_t{1} << 16;  // 64 members with long names, and some
constexpr std::string_view kEnd = "QEND";
constexpr size_t kTrailerBytes = 8 + kEnd.size() + 4;

std::string EncodeMeta(const SnapshotFileMeta& meta) {
  ByteWriter out;
  out.Varint(meta.group.value);
  out.String(meta.name);
  out.Varint(static_cast<uint64_t>(
      std::max<int64_t>(0, std::chrono::duration_cast<milliseconds>(meta.saved_at.since_epoch).count())));
  out.Varint(meta.index.value);
  out.Varint(meta.term.value);
  out.U64(meta.state_hash);
  out.Varint(meta.revision.value);
  out.String(raft::EncodeConfiguration(meta.configuration));
  return out.Take();
}

std::optional<SnapshotFileMeta> DecodeMeta(std::string_view bytes) {
  ByteReader in(bytes);
  SnapshotFileMeta meta;
  meta.group = GroupId{in.Varint()};
  meta.name = std::string(in.String());
  const uint64_t saved_ms = in.Varint();
  meta.index = LogIndex{in.Varint()};
  meta.term = Term{in.Varint()};
  meta.state_hash = in.U64();
  meta.revision = Revision{in.Varint()};
  auto configuration = raft::DecodeConfiguration(in.String());
  const bool possible = saved_ms <= uint64_t{1} << 43 && meta.index.value <= raft::kNumberMax &&
                        meta.term.value <= raft::kNumberMax;
  if (!in.AtEnd() || !configuration || !possible) return std::nullopt;
  meta.saved_at = {milliseconds(saved_ms)};
  meta.configuration = *std::move(configuration);
  return meta;
}

std::string EncodeHeader(const SnapshotFileMeta& meta) {
  const std::string body = EncodeMeta(meta);
  ByteWriter out(kFixedBytes + body.size() + 4);
  out.Raw(kMagic);
  out.U32(kVersion);
  out.U32(static_cast<uint32_t>(body.size()));
  out.Raw(body);
  out.U32(Crc32c(out.str()));
  return out.Take();
}

}  // namespace

SnapshotFileWriter::SnapshotFileWriter(const SnapshotFileMeta& meta, std::unique_ptr<SnapshotSource> stream)
    : stream_(std::move(stream)), header_(EncodeHeader(meta)) {}

absl::StatusOr<std::string> SnapshotFileWriter::Next(size_t max) {
  std::string out = std::exchange(header_, {});
  if (!ended_) {
    ASSIGN_OR_RETURN(const std::string part, stream_->Read(offset_, max));
    offset_ += part.size();
    out += part;
    crc_ = Crc32c(out, crc_);
    length_ += out.size();
    if (part.empty()) {
      ended_ = true;
      ByteWriter trailer(kTrailerBytes);
      trailer.U64(length_);
      trailer.Raw(kEnd);
      crc_ = Crc32c(trailer.str(), crc_);
      trailer.U32(crc_);
      out += trailer.str();
    }
  }
  return out;
}

absl::Status SnapshotFileReader::Feed(std::string_view bytes, Visitor visit) {
  if (!status_.ok()) return status_;
  pending_.append(bytes);
  bytes_ += bytes.size();
  if (!meta_) status_ = ReadHeader();
  if (status_.ok() && meta_) status_ = FeedStream(visit);
  return status_;
}

absl::Status SnapshotFileReader::ReadHeader() {
  const size_t begins = std::min(pending_.size(), kMagic.size());
  if (std::string_view(pending_).substr(0, begins) != kMagic.substr(0, begins))
    return absl::DataLossError("not a snapshot file: it does not begin with QUORSNAP");
  if (pending_.size() < kFixedBytes) return absl::OkStatus();
  ByteReader in(pending_);
  in.Raw(kMagic.size());
  const uint32_t version = in.U32();
  const size_t length = in.U32();
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat("a snapshot file of version ", version,
                                                      ", which this program does not know: it reads version ",
                                                      kVersion));
  }
  if (length > kMetaBytesMax) return absl::DataLossError("damaged at byte 12: the header cannot be so long");
  if (in.remaining() < length + 4) return absl::OkStatus();
  const std::string_view body = in.Raw(length);
  header_bytes_ = kFixedBytes + length + 4;
  if (in.U32() != Crc32c(std::string_view(pending_).substr(0, header_bytes_ - 4)))
    return absl::DataLossError(
        absl::StrCat("damaged within its first ", header_bytes_, " bytes: the header's checksum is wrong"));
  meta_ = DecodeMeta(body);
  if (!meta_) return absl::DataLossError("damaged at byte 16: the header makes no sense");
  crc_ = Crc32c(std::string_view(pending_).substr(0, header_bytes_));
  pending_.erase(0, header_bytes_);
  return absl::OkStatus();
}

// What may be the trailer is held back.
absl::Status SnapshotFileReader::FeedStream(Visitor visit) {
  if (pending_.size() <= kTrailerBytes) return absl::OkStatus();
  const std::string_view part = std::string_view(pending_).substr(0, pending_.size() - kTrailerBytes);
  if (absl::Status status = decoder_.Feed(part, visit); !status.ok()) {
    return absl::Status(status.code(), absl::StrCat("damaged at byte ", header_bytes_ + decoder_.position(),
                                                    ": ", status.message()));
  }
  crc_ = Crc32c(part, crc_);
  pending_.erase(0, part.size());
  return absl::OkStatus();
}

absl::Status SnapshotFileReader::Finish() {
  if (!status_.ok()) return status_;
  if (!meta_) {
    return status_ = absl::DataLossError(
               absl::StrCat("cut off at byte ", bytes_, ", within the header: it is not whole"));
  }
  return status_ = CheckTrailer();
}

absl::Status SnapshotFileReader::CheckTrailer() const {
  if (!decoder_.ended() || pending_.size() < kTrailerBytes) {
    return absl::DataLossError(absl::StrCat("cut off at byte ", bytes_, ", after ", decoder_.count(),
                                            " keys: the end of it is not there"));
  }
  ByteReader in(pending_);
  const uint64_t length = in.U64();
  const bool is_end = in.Raw(kEnd.size()) == kEnd;
  const uint64_t at = bytes_ - kTrailerBytes;
  if (!is_end || length != at)
    return absl::DataLossError(absl::StrCat("damaged at byte ", at, ": that is no trailer"));
  if (in.U32() != Crc32c(std::string_view(pending_).substr(0, kTrailerBytes - 4), crc_))
    return absl::DataLossError("damaged somewhere: the checksum of the whole file is wrong");
  return absl::OkStatus();
}

}  // namespace quorate::storage

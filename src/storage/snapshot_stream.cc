#include "storage/snapshot_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/bytes.h"
#include "base/crc32c.h"
#include "base/limits.h"
#include "base/status_macros.h"

namespace quorate::storage {
namespace {

constexpr std::string_view kMagic = "QSNAP";
constexpr uint8_t kVersion = 1;
constexpr size_t kHeaderBytes = kMagic.size() + 1;
constexpr uint8_t kTagEnd = 0;
constexpr uint8_t kTagPair = 1;
constexpr size_t kEndBytes = 1 + 8 + 4;

class IteratorSource final : public SnapshotSource {
 public:
  explicit IteratorSource(std::unique_ptr<kv::MapIterator> map) : map_(std::move(map)) {
    map_->Seek("");
    ByteWriter header;
    header.Raw(kMagic);
    header.U8(kVersion);
    Add(header.str());
  }

  absl::StatusOr<std::string> Read(uint64_t offset, size_t max) override {
    if (offset < start_) {
      return absl::OutOfRangeError(
          absl::StrCat("snapshot offset ", offset, " is gone; the oldest is ", start_));
    }
    while (!ended_ && end() < offset + max) AddNext();
    if (offset > end()) {
      return absl::OutOfRangeError(absl::StrCat("snapshot offset ", offset, " is past its end ", end()));
    }
    std::string out = window_.substr(offset - start_, max);
    Forget(offset + out.size());
    return out;
  }

 private:
  uint64_t end() const { return start_ + window_.size(); }

  void Add(std::string_view bytes) {
    crc_ = Crc32c(bytes, crc_);
    window_.append(bytes);
  }

  void AddNext() {
    ByteWriter out;
    if (!map_->Valid()) {
      out.U8(kTagEnd);
      out.U64(count_);
      Add(out.str());
      ByteWriter crc;
      crc.U32(crc_);
      window_.append(crc.str());
      ended_ = true;
      return;
    }
    out.U8(kTagPair);
    out.String(map_->key());
    out.String(map_->value());
    Add(out.str());
    ++count_;
    map_->Next();
  }

  // Keeps one chunk behind the furthest byte given, for a receiver that asks again.
  void Forget(uint64_t given) {
    furthest_ = std::max(furthest_, given);
    if (furthest_ < start_ + 2 * limits::kSnapshotChunkBytes) return;
    const size_t gone = furthest_ - limits::kSnapshotChunkBytes - start_;
    window_.erase(0, gone);
    start_ += gone;
  }

  std::unique_ptr<kv::MapIterator> map_;
  std::string window_;  // the stream's bytes [start_, end())
  uint64_t start_ = 0;
  uint64_t furthest_ = 0;
  uint64_t count_ = 0;
  uint32_t crc_ = 0;
  bool ended_ = false;
};

}  // namespace

std::unique_ptr<SnapshotSource> StreamSnapshot(std::unique_ptr<kv::MapIterator> map) {
  return std::make_unique<IteratorSource>(std::move(map));
}

absl::Status SnapshotDecoder::Feed(std::string_view bytes, Visitor visit) {
  if (!status_.ok()) return status_;
  pending_.append(bytes);
  return status_ = Consume(visit);
}

absl::Status SnapshotDecoder::CheckHeader() {
  if (std::string_view(pending_).substr(0, kMagic.size()) != kMagic) {
    return absl::DataLossError("not a snapshot: it does not begin with QSNAP");
  }
  const uint8_t version = static_cast<uint8_t>(pending_[kMagic.size()]);
  if (version != kVersion) {
    return absl::FailedPreconditionError(absl::StrCat(
        "snapshot version ", version, " is not known to this program, which reads version ", kVersion));
  }
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::CheckEnd() {
  ByteReader in(pending_);
  in.U8();
  const uint64_t count = in.U64();
  crc_ = Crc32c(std::string_view(pending_).substr(0, kEndBytes - 4), crc_);
  if (in.U32() != crc_) return absl::DataLossError("snapshot is damaged: its checksum is wrong");
  if (count != count_) {
    return absl::DataLossError(absl::StrCat("snapshot is damaged: ", count_, " keys, where it says ", count));
  }
  if (!in.AtEnd()) return absl::DataLossError("snapshot is damaged: bytes after its end");
  ended_ = true;
  position_ += kEndBytes;
  pending_.clear();
  return absl::OkStatus();
}

absl::Status SnapshotDecoder::Consume(Visitor visit) {
  if (ended_ && !pending_.empty()) return absl::DataLossError("snapshot is damaged: bytes after its end");
  if (!header_read_) {
    if (pending_.size() < kHeaderBytes) return absl::OkStatus();
    RETURN_IF_ERROR(CheckHeader());
    header_read_ = true;
    crc_ = Crc32c(std::string_view(pending_).substr(0, kHeaderBytes));
    pending_.erase(0, kHeaderBytes);
    position_ = kHeaderBytes;
  }
  std::string_view rest = pending_;
  while (!rest.empty() && rest.front() == static_cast<char>(kTagPair)) {
    ByteReader in(rest);
    in.U8();
    const std::string_view key = in.String();
    const std::string_view value = in.String();
    if (!in.ok()) {
      // Unfinished, or a length that no pair can have: the latter would make us wait for ever.
      if (rest.size() > 2 * limits::kCommandBytesMax)
        return absl::DataLossError("snapshot is damaged: endless pair");
      break;
    }
    if (count_ > 0 && key <= last_key_) return absl::DataLossError("snapshot is damaged: keys out of order");
    if (absl::Status status = visit(key, value); !status.ok()) {
      pending_.erase(0, pending_.size() - rest.size());
      return status;
    }
    last_key_ = key;
    ++count_;
    const size_t used = rest.size() - in.remaining();
    crc_ = Crc32c(rest.substr(0, used), crc_);
    position_ += used;
    rest.remove_prefix(used);
  }
  pending_.erase(0, pending_.size() - rest.size());
  if (pending_.empty() || pending_.front() == static_cast<char>(kTagPair)) return absl::OkStatus();
  if (pending_.front() != static_cast<char>(kTagEnd)) {
    return absl::DataLossError(absl::StrCat("snapshot is damaged: unknown record after key ", count_));
  }
  return pending_.size() < kEndBytes ? absl::OkStatus() : CheckEnd();
}

absl::Status SnapshotDecoder::Finish() const {
  if (!status_.ok()) return status_;
  return ended_ ? absl::OkStatus() : absl::DataLossError("snapshot is cut off before its end");
}

}  // namespace quorate::storage

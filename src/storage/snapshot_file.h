// A snapshot as a file: what it is of, the canonical stream, and a trailer that says that all of it is there.
// docs/formats.md "Snapshot file".
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "base/types.h"
#include "raft/types.h"
#include "storage/api.h"
#include "storage/snapshot_stream.h"

namespace quorate::storage {

struct SnapshotFileMeta {
  GroupId group;
  std::string name;   // of the group, for people
  WallTime saved_at;  // whole milliseconds
  LogIndex index;
  Term term;
  uint64_t state_hash = 0;
  Revision revision;
  raft::Configuration configuration;
  bool operator==(const SnapshotFileMeta&) const = default;
};

// Gives the bytes of the file from the first to the last. One thread.
class SnapshotFileWriter {
 public:
  SnapshotFileWriter(const SnapshotFileMeta& meta, std::unique_ptr<SnapshotSource> stream);
  // About `max` bytes; empty at the end. Blocks for the disk.
  absl::StatusOr<std::string> Next(size_t max);

 private:
  std::unique_ptr<SnapshotSource> stream_;
  std::string header_;  // not given yet
  uint64_t offset_ = 0;
  uint64_t length_ = 0;  // given
  uint32_t crc_ = 0;     // of what was given
  bool ended_ = false;
};

// Takes such a file apart, in pieces of any size; holds one pair at most. One thread.
class SnapshotFileReader {
 public:
  using Visitor = SnapshotDecoder::Visitor;

  // Calls `visit` for each key that is complete by now; meta() is there by then. kDataLoss: not a snapshot
  // file, or damaged; kFailedPrecondition: a version this program does not know. The message says at which
  // byte. An error, also the visitor's, stays for good.
  absl::Status Feed(std::string_view bytes, Visitor visit);
  // OK once the whole file came, and agrees with its sums.
  absl::Status Finish();

  const std::optional<SnapshotFileMeta>& meta() const { return meta_; }
  uint64_t count() const { return decoder_.count(); }  // of keys
  uint64_t bytes() const { return bytes_; }            // fed

 private:
  absl::Status ReadHeader();
  absl::Status FeedStream(Visitor visit);
  absl::Status CheckTrailer() const;

  absl::Status status_;
  std::string pending_;  // the trailer at the end of the file, or a part of the header
  std::optional<SnapshotFileMeta> meta_;
  SnapshotDecoder decoder_;
  uint64_t header_bytes_ = 0;
  uint64_t bytes_ = 0;
  uint32_t crc_ = 0;  // of all bytes before pending_
};

}  // namespace quorate::storage

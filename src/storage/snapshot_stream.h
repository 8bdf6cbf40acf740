// A snapshot as bytes: every key of a map in order, in the form of docs/formats.md "Snapshot stream". The
// form is canonical: equal maps give equal bytes, whichever StateStore they live in.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "kv/ordered_map.h"
#include "storage/api.h"

namespace quorate::storage {

// Streams what `map` sees, from its first key on. The iterator lives as long as the source. One thread.
std::unique_ptr<SnapshotSource> StreamSnapshot(std::unique_ptr<kv::MapIterator> map);

// Takes such a stream apart, in pieces of any size. One thread.
class SnapshotDecoder {
 public:
  using Visitor = absl::FunctionRef<absl::Status(std::string_view key, std::string_view value)>;

  // Calls `visit` for each key that is complete by now. kDataLoss: the bytes are not a snapshot, or damaged;
  // kFailedPrecondition: a version this program does not know. An error, also the visitor's, stays for good.
  absl::Status Feed(std::string_view bytes, Visitor visit);
  // OK once the whole stream came and its count and checksum agree.
  absl::Status Finish() const;

  bool ended() const { return ended_; }
  uint64_t count() const { return count_; }  // of keys
  // Of the bytes fed: where the first one is that makes no record yet, or a wrong one.
  uint64_t position() const { return position_; }

 private:
  absl::Status Consume(Visitor visit);
  absl::Status CheckHeader();
  absl::Status CheckEnd();

  absl::Status status_;
  std::string pending_;   // an unfinished record
  std::string last_key_;  // keys must grow
  uint64_t count_ = 0;
  uint32_t crc_ = 0;  // of all bytes consumed
  uint64_t position_ = 0;
  bool header_read_ = false;
  bool ended_ = false;
};

}  // namespace quorate::storage

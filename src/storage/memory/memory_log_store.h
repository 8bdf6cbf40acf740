// A log in memory, for unit tests of what stands on LogStore.
#pragma once

#include <cstddef>

#include "storage/api.h"

namespace quorate::storage {

// Threads: as LogStore says; image() and FailNext() on the same thread.
class MemoryLogStore final : public LogStore {
 public:
  // `image` is what Recover() gives: that of an earlier incarnation, for a restart.
  explicit MemoryLogStore(RecoveredLog image = {}) : image_(std::move(image)) {}

  absl::StatusOr<RecoveredLog> Recover() override;
  absl::Status Write(std::span<const LogWrite> batch) override;
  absl::Status Compact(const raft::SnapshotMeta& base) override;
  size_t bytes() const override;

  // The next Write or Compact fails with `why` and keeps nothing; the log is poisoned from then on.
  void FailNext(absl::Status why) { fail_next_ = std::move(why); }
  const RecoveredLog& image() const { return image_; }
  size_t writes() const { return writes_; }  // how many batches came

 private:
  absl::Status Begin();
  RecoveredLog image_;
  absl::Status fail_next_;
  absl::Status poison_;
  size_t writes_ = 0;
};

}  // namespace quorate::storage

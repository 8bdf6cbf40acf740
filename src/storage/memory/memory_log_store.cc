#include "storage/memory/memory_log_store.h"

#include <utility>

#include "base/status_macros.h"
#include "storage/log_image.h"

namespace quorate::storage {

absl::StatusOr<RecoveredLog> MemoryLogStore::Recover() { return image_; }

absl::Status MemoryLogStore::Begin() {
  if (poison_.ok()) poison_ = std::exchange(fail_next_, absl::OkStatus());
  return poison_;
}

absl::Status MemoryLogStore::Write(std::span<const LogWrite> batch) {
  RETURN_IF_ERROR(Begin());
  for (const LogWrite& write : batch) ApplyLogWrite(write, image_);
  ++writes_;
  return absl::OkStatus();
}

absl::Status MemoryLogStore::Compact(const raft::SnapshotMeta& base) {
  RETURN_IF_ERROR(Begin());
  CompactLog(base, image_);
  return absl::OkStatus();
}

size_t MemoryLogStore::bytes() const {
  size_t sum = 0;
  for (const raft::LogEntry& entry : image_.entries) sum += entry.bytes();
  return sum;
}

}  // namespace quorate::storage

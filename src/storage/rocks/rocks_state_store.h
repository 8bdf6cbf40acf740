// The applied state in RocksDB: one column family, its own log off, nothing synced until Flush(). So what a
// crash leaves is the map as of some completed batch, with the applied index that the batch carried.
#pragma once

#include <memory>
#include <string>

#include "absl/status/statusor.h"
#include "storage/api.h"

namespace quorate::storage {

struct RocksOptions {
  // Two of them at most per store: 18 replicas on one laptop then stay below 300 MiB.
  size_t write_buffer_bytes = size_t{8} << 20;
  size_t block_cache_bytes = size_t{8} << 20;
  int open_files_max = 64;
  int background_jobs = 2;
};

// The state in `directory` (docs/formats.md "Data directory"), which is made if need be; its parent exists.
// What an interrupted restore left is removed. kDataLoss: what CURRENT names is not there, or damaged.
//
// Later a failed write, a corrupt read or a failed background write stops the process (FailStop) with the
// cause. map() stays valid over restores; an iterator keeps the state it began on.
absl::StatusOr<std::unique_ptr<StateStore>> OpenRocksState(const std::string& directory,
                                                           const RocksOptions& options);

}  // namespace quorate::storage

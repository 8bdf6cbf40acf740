// What a process does about its disk: the last act before a fault ends it, and the repair of what a fault
// left.
#pragma once

#include <functional>
#include <string>

#include "absl/status/status.h"
#include "storage/data_directory.h"

namespace quorate::app {

// From now on a FailStop of this process gives the reserve of `data_dir` back (disk full) or leaves a mark
// for the next start (damage). Once per process.
void TakeCareOfDiskFaults(const std::string& data_dir);
// The same for a fault that ends the start of a process as an error.
void TakeCareOf(const std::string& data_dir, const absl::Status& status);

struct RepairRequest {
  std::string why;           // what is damaged
  bool allowed = true;       // --no-repair
  size_t group_members = 0;  // as far as is known without the log
};
// Gives up the log and the state in `directory`, so that the replica comes back without a say and gets all of
// it from its leader; says so by `notice`. kDataLoss: it may not, or there is nobody to get it from.
absl::Status Repair(storage::DataDirectory& directory, const RepairRequest& request,
                    const std::function<void(const std::string&)>& notice);

}  // namespace quorate::app

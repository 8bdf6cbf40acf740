// After most members of a group are gone for good: the log of one survivor becomes the log of a new group.
// docs/design/0009-identity-and-recovery.md
#pragma once

#include <cstdint>
#include <vector>

#include "absl/status/statusor.h"
#include "replica/recovery.h"

namespace quorate::replica {

// The latest in the log, committed or not. kDataLoss: an entry does not decode.
absl::StatusOr<raft::Configuration> LatestConfiguration(const raft::Restored& found);

// What has to be written to the log of `self`: one more entry, in a term of its own, by which the group is
// `self` alone, as `instance`, and whoever is `joining` (id and address), without a vote until it has caught
// up. All that is in the log stays, and is committed with that entry. Only for a data directory that no
// member of the old group talks to any more (DataDirectory::MoveToGroup): it would lead that group by itself.
// kInvalidArgument: `joining` makes no sense. kFailedPrecondition: `self` is not a member.
absl::StatusOr<storage::LogWrite> BeginNewGroup(const raft::Restored& found, MemberId self, uint64_t instance,
                                                std::vector<raft::Member> joining);

}  // namespace quorate::replica

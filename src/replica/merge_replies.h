// Fewer answers to appends: what one batch of events gave rise to is said once.
#pragma once

#include <vector>

#include "raft/messages.h"

namespace quorate::replica {

// Of the AppendEntriesReply to one member that claim nothing that the last of them cannot claim too (matched,
// of the same terms and incarnation), only the last stays, with the most that any of them said. The order of
// the others stays as it is.
void MergeReplies(std::vector<raft::Message>& messages);

}  // namespace quorate::replica

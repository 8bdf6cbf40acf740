// Every bound of the product, with its arithmetic. Full has a policy, said where the bound is used.
#pragma once

#include <cstddef>

namespace quorate::limits {

inline constexpr size_t kCommandBytesMax = size_t{32}
                                           << 20;  // one write: a whole imported zone of ~400 k records
inline constexpr size_t kProposalsMax = 4096;      // waiting for the log: 200 ms x 10 k writes/s, doubled
inline constexpr size_t kProposalBytesMax = 2 * kCommandBytesMax;
inline constexpr size_t kAppendBytesMax = size_t{1}
                                          << 20;     // one AppendEntries, unless a single entry is larger
inline constexpr size_t kInflightMessagesMax = 256;  // AppendEntries under way to one follower
inline constexpr size_t kInflightBytesMax = size_t{8} << 20;
inline constexpr size_t kUncommittedBytesMax = 2 * kCommandBytesMax;
inline constexpr size_t kLogKeepEntries = 10000;  // kept behind the applied index for slow followers
inline constexpr size_t kLogCompactBytes = size_t{16} << 20;  // a longer log is cut, below what is flushed
inline constexpr size_t kSnapshotChunkBytes = size_t{1} << 20;
inline constexpr size_t kPeerQueueMessages = 4096;  // waiting for one peer's stream; full drops, Raft resends
inline constexpr size_t kReadWaitersMax = 65536;
inline constexpr size_t kSessionsMax = 100000;   // oldest by group time goes first
inline constexpr size_t kHeldQueriesMax = 4096;  // DNS queries of one worker waiting for a barrier

static_assert(kInflightBytesMax >= 2 * kAppendBytesMax, "else one batch stalls the pipeline");
static_assert(kProposalBytesMax >= kCommandBytesMax, "else the largest command can never be proposed");

}  // namespace quorate::limits

// Majorities, counted apart in each half of a joint configuration (Raft 6). Every decision of the core that
// needs a quorum goes through here. A member that is repairing is one of those a majority is counted of, and
// never one of those who make it: what it said before it lost its log may have made one already.
#pragma once

#include <functional>
#include <map>

#include "raft/types.h"

namespace quorate::raft {

// nullptr: not listed.
const Member* FindMember(const Configuration& configuration, MemberId id);

// In either half.
bool IsVoter(const Configuration& configuration, MemberId id);

// Listed with the eligible bit.
bool IsLeaseEligible(const Configuration& configuration, MemberId id);

// Everybody of either half and all learners, ordered by id.
std::vector<MemberId> EveryMember(const Configuration& configuration);

// The largest v such that a majority of every half has at least v; 0 for a configuration without voters.
uint64_t QuorumValue(const Configuration& configuration, const std::function<uint64_t(MemberId)>& value);

// A majority of every half has the property; false for a configuration without voters.
bool HasQuorum(const Configuration& configuration, const std::function<bool(MemberId)>& has);

enum class VoteOutcome : uint8_t { kPending, kWon, kLost };
// kLost: some half can no longer reach a majority. Votes of non-voters do not count.
VoteOutcome TallyVotes(const Configuration& configuration, const std::map<MemberId, bool>& votes);

}  // namespace quorate::raft

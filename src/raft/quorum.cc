#include "raft/quorum.h"

#include <algorithm>

namespace quorate::raft {
namespace {

std::vector<MemberId> IncomingVoters(const Configuration& configuration) {
  std::vector<MemberId> out;
  for (const Member& m : configuration.members) {
    if (m.voter) out.push_back(m.id);
  }
  return out;
}

uint64_t MajorityValue(const std::vector<MemberId>& voters, const std::function<uint64_t(MemberId)>& value) {
  if (voters.empty()) return 0;
  std::vector<uint64_t> values;
  for (MemberId id : voters) values.push_back(value(id));
  // Of n values in falling order, the one at n/2 is reached by n/2 + 1 voters.
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), nth, values.end(), std::greater<>());
  return *nth;
}

VoteOutcome TallyHalf(const std::vector<MemberId>& voters, const std::map<MemberId, bool>& votes) {
  const size_t majority = voters.size() / 2 + 1;
  size_t granted = 0, refused = 0;
  for (MemberId id : voters) {
    const auto vote = votes.find(id);
    if (vote != votes.end()) ++(vote->second ? granted : refused);
  }
  if (granted >= majority) return VoteOutcome::kWon;
  return voters.size() - refused < majority ? VoteOutcome::kLost : VoteOutcome::kPending;
}

}  // namespace

bool IsVoter(const Configuration& configuration, MemberId id) {
  return std::ranges::any_of(configuration.members, [&](const Member& m) { return m.id == id && m.voter; }) ||
         std::ranges::count(configuration.outgoing_voters, id) > 0;
}

bool IsLeaseEligible(const Configuration& configuration, MemberId id) {
  return std::ranges::any_of(configuration.members,
                             [&](const Member& m) { return m.id == id && m.lease_eligible; });
}

std::vector<MemberId> EveryMember(const Configuration& configuration) {
  std::vector<MemberId> out = configuration.outgoing_voters;
  for (const Member& m : configuration.members) out.push_back(m.id);
  std::ranges::sort(out);
  out.erase(std::unique(out.begin(), out.end()), out.end());
  return out;
}

uint64_t QuorumValue(const Configuration& configuration, const std::function<uint64_t(MemberId)>& value) {
  const uint64_t incoming = MajorityValue(IncomingVoters(configuration), value);
  if (configuration.outgoing_voters.empty()) return incoming;
  return std::min(incoming, MajorityValue(configuration.outgoing_voters, value));
}

bool HasQuorum(const Configuration& configuration, const std::function<bool(MemberId)>& has) {
  return QuorumValue(configuration, [&](MemberId id) { return has(id) ? 1 : 0; }) == 1;
}

VoteOutcome TallyVotes(const Configuration& configuration, const std::map<MemberId, bool>& votes) {
  const VoteOutcome incoming = TallyHalf(IncomingVoters(configuration), votes);
  if (configuration.outgoing_voters.empty()) return incoming;
  const VoteOutcome outgoing = TallyHalf(configuration.outgoing_voters, votes);
  if (incoming == VoteOutcome::kLost || outgoing == VoteOutcome::kLost) return VoteOutcome::kLost;
  return incoming == VoteOutcome::kWon ? outgoing : incoming;
}

}  // namespace quorate::raft

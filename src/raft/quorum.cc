#include "raft/quorum.h"

#include <algorithm>

#include "base/sim_hooks.h"

namespace quorate::raft {
namespace {

std::vector<MemberId> IncomingVoters(const Configuration& configuration) {
  std::vector<MemberId> out;
  for (const Member& m : configuration.members) {
    if (m.voter) out.push_back(m.id);
  }
  return out;
}

bool Counts(const Configuration& configuration, MemberId id) {
  if (SIM_MUTANT("repairing-member-counts")) return true;
  const Member* m = FindMember(configuration, id);
  return !m || !m->repairing;
}

uint64_t MajorityValue(const Configuration& c, const std::vector<MemberId>& voters,
                       const std::function<uint64_t(MemberId)>& value) {
  if (voters.empty()) return 0;
  std::vector<uint64_t> values;
  for (MemberId id : voters) values.push_back(Counts(c, id) ? value(id) : 0);
  // Of n values in falling order, the one at n/2 is reached by n/2 + 1 voters.
  const auto nth = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), nth, values.end(), std::greater<>());
  return *nth;
}

VoteOutcome TallyHalf(const Configuration& c, const std::vector<MemberId>& voters,
                      const std::map<MemberId, bool>& votes) {
  const size_t majority = voters.size() / 2 + 1;
  size_t granted = 0, refused = 0;
  for (MemberId id : voters) {
    const auto vote = votes.find(id);
    const bool counts = Counts(c, id);
    if (!counts || vote != votes.end()) ++(counts && vote->second ? granted : refused);
  }
  if (granted >= majority) return VoteOutcome::kWon;
  return voters.size() - refused < majority ? VoteOutcome::kLost : VoteOutcome::kPending;
}

// The mutant: one majority of everybody who votes in either half.
std::vector<MemberId> Union(const Configuration& c) {
  std::vector<MemberId> all = IncomingVoters(c);
  for (MemberId id : c.outgoing_voters)
    if (std::ranges::count(all, id) == 0) all.push_back(id);
  return all;
}

}  // namespace

const Member* FindMember(const Configuration& configuration, MemberId id) {
  const auto at = std::ranges::find(configuration.members, id, &Member::id);
  return at == configuration.members.end() ? nullptr : &*at;
}

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
  if (SIM_MUTANT("commit-over-the-union")) return MajorityValue(configuration, Union(configuration), value);
  const uint64_t incoming = MajorityValue(configuration, IncomingVoters(configuration), value);
  if (configuration.outgoing_voters.empty()) return incoming;
  return std::min(incoming, MajorityValue(configuration, configuration.outgoing_voters, value));
}

bool HasQuorum(const Configuration& configuration, const std::function<bool(MemberId)>& has) {
  return QuorumValue(configuration, [&](MemberId id) { return has(id) ? 1 : 0; }) == 1;
}

VoteOutcome TallyVotes(const Configuration& configuration, const std::map<MemberId, bool>& votes) {
  if (SIM_MUTANT("votes-over-the-union")) return TallyHalf(configuration, Union(configuration), votes);
  const VoteOutcome incoming = TallyHalf(configuration, IncomingVoters(configuration), votes);
  if (configuration.outgoing_voters.empty()) return incoming;
  const VoteOutcome outgoing = TallyHalf(configuration, configuration.outgoing_voters, votes);
  if (incoming == VoteOutcome::kLost || outgoing == VoteOutcome::kLost) return VoteOutcome::kLost;
  return incoming == VoteOutcome::kWon ? outgoing : incoming;
}

}  // namespace quorate::raft

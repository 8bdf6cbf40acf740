#include "replica/new_group.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/status_macros.h"
#include "raft/codec.h"

namespace quorate::replica {
namespace {

absl::Status CheckJoining(const std::vector<raft::Member>& joining, MemberId self) {
  for (const raft::Member& member : joining) {
    const auto same = [&](const raft::Member& other) { return other.id == member.id; };
    if (!member.id || member.id == self || std::ranges::count_if(joining, same) != 1)
      return absl::InvalidArgumentError("member " + std::to_string(member.id.value) +
                                        " is listed twice, or is this one");
    if (member.address.empty())
      return absl::InvalidArgumentError("member " + std::to_string(member.id.value) + " has no address");
  }
  return absl::OkStatus();
}

MemberId HighestId(const raft::Configuration& configuration) {
  MemberId highest = configuration.last_id;
  for (const raft::Member& member : configuration.members) highest = std::max(highest, member.id);
  return highest;
}

}  // namespace

absl::StatusOr<raft::Configuration> LatestConfiguration(const raft::Restored& found) {
  raft::Configuration latest = found.base.configuration;
  for (const raft::LogEntry& entry : found.entries) {
    if (entry.type != raft::EntryType::kConfiguration || !entry.payload) continue;
    auto decoded = raft::DecodeConfiguration(*entry.payload);
    if (!decoded) return absl::DataLossError("a configuration in the log does not decode");
    latest = *std::move(decoded);
  }
  return latest;
}

absl::StatusOr<storage::LogWrite> BeginNewGroup(const raft::Restored& found, MemberId self, uint64_t instance,
                                                std::vector<raft::Member> joining) {
  ASSIGN_OR_RETURN(const raft::Configuration old, LatestConfiguration(found));
  RETURN_IF_ERROR(CheckJoining(joining, self));
  const auto me = std::ranges::find(old.members, self, &raft::Member::id);
  if (me == old.members.end())
    return absl::FailedPreconditionError("this replica is not a member of its group any more");
  if (me->repairing)
    return absl::FailedPreconditionError("this replica has lost its log and not got all of it back");

  raft::Configuration next{.timing = old.timing, .leases_on = old.leases_on};
  next.feature_level = std::max(old.feature_level, raft::kFeatureLevel);
  next.members.push_back({.id = self,
                          .lease_eligible = !me->lease_barred,
                          .lease_barred = me->lease_barred,
                          .instance = instance,
                          .address = me->address});
  for (const raft::Member& member : joining)
    next.members.push_back({.id = member.id,
                            .voter = false,
                            .lease_eligible = false,
                            .promote = true,
                            .address = member.address});
  std::ranges::sort(next.members, {}, &raft::Member::id);
  next.last_id = std::max(HighestId(old), HighestId(next));

  const bool empty = found.entries.empty();
  const LogIndex last = empty ? found.base.last_index : found.entries.back().index;
  const Term last_term = empty ? found.base.last_term : found.entries.back().term;
  const Term term{std::max(found.hard_state.current_term, last_term).value + 1};
  return storage::LogWrite{
      .hard_state = raft::HardState{term, MemberId{}},
      .append = {{last + 1, term, raft::EntryType::kConfiguration,
                  std::make_shared<const std::string>(raft::EncodeConfiguration(next))}}};
}

}  // namespace quorate::replica

// What callers ask of the driver: proposals, reads, transfers, changes of the configuration, the end.
#include <algorithm>
#include <utility>

#include "base/sim_hooks.h"
#include "raft/codec.h"
#include "raft/quorum.h"
#include "replica/driver.h"

namespace quorate::replica {
namespace {

constexpr Duration kYieldAgainAfter = std::chrono::seconds(10);

}  // namespace

// --- events from callers ---

void Driver::On(ProposeCall event) {
  if (stop_deadline_) {
    actions_.completions.push_back([done = std::move(event.done)] { done(NotProposed{Refusal::kStopping}); });
    return;
  }
  proposals_.Add(now_.boot, std::move(event), actions_);
}

void Driver::On(ReadCall event) {
  if (stop_deadline_) {
    actions_.completions.push_back(
        [done = std::move(event.done)] { done(absl::UnavailableError("the replica is stopping")); });
    return;
  }
  const Duration hold = core_.timing().hold;
  reads_.Add(now_.boot, std::move(event), applied_, hold, actions_);
}

void Driver::On(BarrierCall event) { reads_.AddBarrier(event.ticket); }

void Driver::On(TransferCall event) {
  const auto refuse = [&](absl::Status why) {
    actions_.completions.push_back([done = std::move(event.done), why] { done(why); });
  };
  if (!leads())
    return refuse(absl::FailedPreconditionError("this replica is not the leader; member " +
                                                std::to_string(core_.leader().value) + " is"));
  if (transfer_ || stop_deadline_) return refuse(absl::UnavailableError("a transfer is under way already"));
  Step(raft::TransferLeadership{event.to});
  if (leads() && core_.GetStatus().transferring_to == MemberId{})
    return refuse(absl::FailedPreconditionError("no such voter to transfer leadership to"));
  transfer_ = Transfer{event.to, now_.boot + 2 * core_.timing().election_max, std::move(event.done)};
}

// What takes a vote away must leave a majority that answers.
absl::Status Driver::Risk(const ConfigurationChange& change, const raft::Configuration& next) const {
  const auto* remove = std::get_if<RemoveMember>(&change);
  const auto* demote = std::get_if<DemoteMember>(&change);
  const bool careful = (remove && !remove->force) || (demote && !demote->force);
  if (careful) return WouldLoseQuorum(core_.GetStatus(), next);
  // One that is repairing comes to count only once the change is complete: it would wait for itself.
  if (raft::HasQuorum(next, [](MemberId) { return true; })) return absl::OkStatus();
  return absl::AbortedError(
      "too many of the voters that would be left are being repaired: wait until that ends");
}

void Driver::On(ConfigureCall event) {
  const auto refuse = [&](absl::Status why) {
    actions_.completions.push_back([done = std::move(event.done), why] { done(why); });
  };
  if (stop_deadline_) return refuse(absl::UnavailableError("the replica is stopping"));
  if (!leads())
    return refuse(absl::FailedPreconditionError("this replica is not the leader; member " +
                                                std::to_string(core_.leader().value) + " is"));
  const absl::Status busy = absl::UnavailableError("another change is under way: try again");
  const raft::Status status = core_.GetStatus();
  const bool complete = SIM_MUTANT("second-change-too-early") ||
                        (core_.configuration_index() <= status.commit && IsComplete(status.configuration));
  if (configure_.busy() || !complete) return refuse(busy);
  auto next = Changed(status.configuration, event.change);
  if (!next.ok()) return refuse(next.status());
  if (const absl::Status risk = Risk(event.change, *next); !risk.ok()) return refuse(risk);
  configure_.Begin(now_.boot, std::move(event));
  raft::Propose propose;
  propose.proposals.push_back(
      {.type = raft::EntryType::kConfiguration,
       .payload = std::make_shared<const std::string>(raft::EncodeConfiguration(*next))});
  raft::Effects effects = core_.Step(now_.boot, propose);
  const raft::ProposeResult result = effects.proposed.front();
  effects.proposed.clear();  // not one of the callers' commands
  Absorb(std::move(effects));
  FollowRole();
  if (result.fault) return configure_.Finish(busy, actions_);
  configure_.Appended(result.index, result.term);
}

void Driver::On(StopCall) {
  if (stop_deadline_) return;
  stop_deadline_ = now_.boot + config_.stop_timeout;
  if (leads()) Step(raft::TransferLeadership{});
}

void Driver::On(DiskSeen event) {
  disk_low_ = event.low;
  Step(raft::DiskSpace{event.low});
}

// Writes need the leader's disk most of all: it hands over to the member with room that has most of the log.
void Driver::YieldToRoom() {
  if (!disk_low_ || !leads() || transfer_ || stop_deadline_ || now_.boot < yield_not_before_) return;
  yield_not_before_ = now_.boot + kYieldAgainAfter;
  const raft::Status status = core_.GetStatus();
  const raft::PeerStatus* best = nullptr;
  for (const raft::PeerStatus& peer : status.peers) {
    const auto member = std::ranges::find(status.configuration.members, peer.id, &raft::Member::id);
    const bool can_lead = member != status.configuration.members.end() && member->voter &&
                          !member->repairing && !member->leaving;
    if (can_lead && peer.recent && !peer.disk_low && (!best || peer.match > best->match)) best = &peer;
  }
  if (best) On(TransferCall{best->id, [](const absl::Status&) {}});
}

void Driver::CheckTransfer() {
  if (!transfer_) return;
  const auto finish = [&](absl::Status status) {
    actions_.completions.push_back([done = std::move(transfer_->done), status] { done(status); });
    transfer_.reset();
  };
  const MemberId leader = core_.leader();
  if (!leads() && leader != MemberId{}) {
    const bool as_asked = transfer_->to == MemberId{} || transfer_->to == leader;
    return finish(as_asked ? absl::OkStatus()
                           : absl::AbortedError("member " + std::to_string(leader.value) + " leads now"));
  }
  if (now_.boot >= transfer_->deadline)
    finish(absl::DeadlineExceededError("leadership was not taken over in time"));
}

void Driver::CheckStop() {
  if (!stop_deadline_ || stopped_) return;
  const bool handed_over = !leads() || core_.GetStatus().transferring_to == MemberId{};
  if (!(handed_over && proposals_.size() == 0) && now_.boot < *stop_deadline_) return;
  proposals_.FailAll(actions_);
  reads_.FailAll(actions_);
  if (transfer_) {
    actions_.completions.push_back(
        [done = std::move(transfer_->done)] { done(absl::UnavailableError("the replica is stopping")); });
    transfer_.reset();
  }
  configure_.Finish(absl::UnavailableError("the replica is stopping"), actions_);
  Step(raft::Leave{});
  stopped_ = true;
  actions_.stopped = true;
}

}  // namespace quorate::replica

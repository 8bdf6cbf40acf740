#include "replica/proposals.h"

#include <algorithm>
#include <utility>

#include "base/check.h"
#include "base/limits.h"
#include "base/sim_hooks.h"

namespace quorate::replica {
namespace {

constexpr BootTime kNever{Duration::max()};
constexpr size_t kRemoteSeenMax = limits::kProposalsMax;

// std::erase_if shows a map's values as const.
template <class Map, class Predicate>
void EraseIf(Map& map, Predicate predicate) {
  for (auto it = map.begin(); it != map.end();) it = predicate(it->second) ? map.erase(it) : std::next(it);
}

}  // namespace

void Proposals::Answer(Caller caller, ProposeOutcome outcome, Actions& actions) {
  actions.completions.push_back(
      [done = std::move(caller.done), outcome = std::move(outcome)]() mutable { done(std::move(outcome)); });
}

void Proposals::Drop(Held& held, ProposeOutcome outcome, Actions& actions) {
  if (auto* caller = std::get_if<Caller>(&held.origin)) {
    bytes_ -= held.command->size();
    Answer(std::move(*caller), std::move(outcome), actions);
  }
}

void Proposals::Add(BootTime now, ProposeCall call, Actions& actions) {
  Caller caller{now + call.timeout, std::move(call.done)};
  if (call.command.size() > limits::kCommandBytesMax)
    return Answer(std::move(caller), NotProposed{Refusal::kTooLarge}, actions);
  if (size() >= limits::kProposalsMax || bytes_ + call.command.size() > limits::kProposalBytesMax)
    return Answer(std::move(caller), NotProposed{Refusal::kQueueFull}, actions);
  bytes_ += call.command.size();
  earliest_ = std::min(earliest_, caller.deadline);
  held_.push_back({std::make_shared<const std::string>(std::move(call.command)), std::move(caller)});
}

bool Proposals::AddRemote(MemberId from, const raft::ProposeRequest& request) {
  Seen& seen = remote_seen_[from];
  const bool repeated = !seen.ids.insert(request.id).second;
  SIM_PROBE("replica.forwarded-proposal-came-twice", repeated);
  if (repeated && !SIM_MUTANT("forwarded-proposal-not-deduped")) return false;
  seen.order.push_back(request.id);
  if (seen.order.size() > kRemoteSeenMax) {
    seen.ids.erase(seen.order.front());
    seen.order.pop_front();
  }
  held_.push_back({request.command, Remote{from, request.id}});
  return true;
}

size_t Proposals::held_bytes() const {
  size_t bytes = 0;
  for (const Held& held : held_) bytes += held.command->size();
  return bytes;
}

std::vector<raft::Payload> Proposals::TakeHeld() {
  CHECK(taken_.empty());
  std::vector<raft::Payload> commands;
  taken_.reserve(held_.size());
  for (Held& held : held_) {
    commands.push_back(held.command);
    taken_.push_back(std::move(held));
  }
  held_.clear();
  return commands;
}

void Proposals::OnProposed(const std::vector<raft::ProposeResult>& results, Term term, Actions& actions) {
  using Status = raft::ProposeReply::Status;
  for (const raft::ProposeResult& result : results) {
    CHECK_LT(result.tag, taken_.size());
    Held& held = taken_[result.tag];
    const bool full = result.fault == raft::ProposeFault::kQueueFull;
    if (const auto* remote = std::get_if<Remote>(&held.origin)) {
      const Status status = !result.fault ? Status::kAppended
                            : full        ? Status::kQueueFull
                                          : Status::kNotLeader;
      actions.send.push_back(
          {self_, remote->from, term, raft::ProposeReply{remote->id, status, result.index, result.term}});
    } else if (!result.fault) {
      Await(result.index, result.term, std::move(held), actions);
    } else if (full) {
      Drop(held, NotProposed{Refusal::kQueueFull}, actions);
    } else {
      held_.push_back(std::move(held));
    }
  }
  taken_.clear();
}

void Proposals::Forward(MemberId leader, Term term, Actions& actions) {
  for (Held& held : held_) {
    const uint64_t id = next_id_++;
    actions.send.push_back({self_, leader, term, raft::ProposeRequest{id, held.command}});
    forwarded_.emplace(id, Forwarded{std::move(held), leader, term});
  }
  held_.clear();
}

void Proposals::ReturnRemote(Term term, Actions& actions) {
  std::erase_if(held_, [&](const Held& held) {
    const auto* remote = std::get_if<Remote>(&held.origin);
    if (remote) {
      using Status = raft::ProposeReply::Status;
      actions.send.push_back({self_, remote->from, term, raft::ProposeReply{remote->id, Status::kNotLeader}});
    }
    return remote != nullptr;
  });
}

bool Proposals::OnReply(const raft::ProposeReply& reply, Actions& actions) {
  auto found = forwarded_.find(reply.id);
  if (found == forwarded_.end()) return false;  // timed out meanwhile, or of an earlier life
  Held held = std::move(found->second.held);
  forwarded_.erase(found);
  switch (reply.status) {
    case raft::ProposeReply::Status::kAppended:
      Await(reply.index, reply.entry_term, std::move(held), actions);
      return false;
    case raft::ProposeReply::Status::kQueueFull:
      Drop(held, NotProposed{Refusal::kQueueFull}, actions);
      return false;
    case raft::ProposeReply::Status::kNotLeader:
      held_.push_back(std::move(held));
      return true;
  }
  return false;
}

void Proposals::Await(LogIndex index, Term term, Held held, Actions& actions) {
  if (index > applied_) {
    appended_.emplace(index, Appended{term, held.command->size(), std::move(std::get<Caller>(held.origin))});
    return;
  }
  // Applied before we heard where it was.
  auto entry = std::lower_bound(recent_.begin(), recent_.end(), index,
                                [](const AppliedEntry& a, LogIndex at) { return a.index < at; });
  if (entry == recent_.end() || entry->index != index) {
    SIM_PROBE("replica.outcome-forgotten", true);
    Drop(held, OutcomeUnknown{}, actions);
  } else if (entry->term == term) {
    Drop(held, Decided{index, entry->outcome}, actions);
  } else {
    Drop(held, NotProposed{Refusal::kNoLeader}, actions);
  }
}

void Proposals::OnLeaderChange(MemberId leader, Term term, Actions& actions) {
  EraseIf(forwarded_, [&](Forwarded& item) {
    if (item.leader == leader && item.term == term) return false;
    Drop(item.held, OutcomeUnknown{}, actions);
    return true;
  });
}

void Proposals::OnApplied(std::vector<AppliedEntry> entries, Actions& actions) {
  for (AppliedEntry& entry : entries) {
    applied_ = entry.index;
    auto [begin, end] = appended_.equal_range(entry.index);
    for (auto it = begin; it != end; ++it) {
      bytes_ -= it->second.bytes;
      // Another term at its index: that entry is gone for good (Raft 5.3, log matching).
      const bool same = it->second.term == entry.term || SIM_MUTANT("outcome-of-another-entry");
      SIM_PROBE("replica.proposal-lost-to-another-entry", !same);
      ProposeOutcome outcome = same ? ProposeOutcome(Decided{entry.index, entry.outcome})
                                    : ProposeOutcome(NotProposed{Refusal::kNoLeader});
      Answer(std::move(it->second.caller), std::move(outcome), actions);
    }
    appended_.erase(begin, end);
    Remember(std::move(entry));
  }
}

void Proposals::Remember(AppliedEntry entry) {
  recent_bytes_ += entry.outcome.size();
  recent_.push_back(std::move(entry));
  while (recent_.size() > limits::kRecentOutcomesMax ||
         (recent_bytes_ > limits::kRecentOutcomeBytesMax && recent_.size() > 1)) {
    recent_bytes_ -= recent_.front().outcome.size();
    recent_.pop_front();
  }
}

void Proposals::OnInstalled(LogIndex index, Actions& actions) {
  const auto end = appended_.upper_bound(index);
  for (auto it = appended_.begin(); it != end; ++it) {
    bytes_ -= it->second.bytes;
    Answer(std::move(it->second.caller), OutcomeUnknown{}, actions);
  }
  appended_.erase(appended_.begin(), end);
  recent_.clear();
  recent_bytes_ = 0;
  applied_ = index;
}

void Proposals::Expire(BootTime now, Actions& actions) {
  if (now < earliest_) return;
  earliest_ = kNever;
  const auto expired = [&](const Caller& caller) {
    if (now >= caller.deadline) return true;
    earliest_ = std::min(earliest_, caller.deadline);
    return false;
  };
  std::erase_if(held_, [&](Held& held) {
    const auto* caller = std::get_if<Caller>(&held.origin);
    if (!caller || !expired(*caller)) return false;
    Drop(held, NotProposed{Refusal::kNoLeader}, actions);
    return true;
  });
  EraseIf(forwarded_, [&](Forwarded& item) {
    if (!expired(std::get<Caller>(item.held.origin))) return false;
    Drop(item.held, OutcomeUnknown{}, actions);
    return true;
  });
  EraseIf(appended_, [&](Appended& item) {
    if (!expired(item.caller)) return false;
    bytes_ -= item.bytes;
    Answer(std::move(item.caller), OutcomeUnknown{}, actions);
    return true;
  });
}

void Proposals::FailAll(Actions& actions) {
  for (Held& held : held_) Drop(held, NotProposed{Refusal::kStopping}, actions);
  for (auto& [id, item] : forwarded_) Drop(item.held, OutcomeUnknown{}, actions);
  for (auto& [index, item] : appended_) Answer(std::move(item.caller), OutcomeUnknown{}, actions);
  held_.clear();
  forwarded_.clear();
  appended_.clear();
  bytes_ = 0;
}

}  // namespace quorate::replica

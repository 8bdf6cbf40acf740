// The state machine of a simulated replica, under the eyes of the checker; publishes what readers answer
// from.
#pragma once

#include <memory>
#include <string>

#include "base/read_view.h"
#include "rsm/published_view.h"
#include "rsm/replicated_state.h"
#include "sim/checker.h"
#include "sim/world.h"
#include "zone/view.h"

namespace quorate::sim {

class Machine final : public rsm::StateMachine {
 public:
  Machine(kv::OrderedMap& map, World& world, Checker& checker, MemberId id);

  rsm::Outcome Apply(const rsm::Entry& entry) override;
  LogIndex applied_index() const override { return state_.applied_index(); }
  Term applied_term() const override { return state_.applied_term(); }
  Duration group_time() const override { return state_.group_time(); }
  void Reload() override { state_.Reload(); }
  uint64_t state_hash() const override { return state_.state_hash(); }
  std::optional<rsm::AppliedAt> AppliedIn(const kv::MapReader& map) const override {
    return state_.AppliedIn(map);
  }

  void ForgetSessions();  // a mutant's
  std::shared_ptr<const zone::ZoneSet> zones() const { return state_.zones(); }
  const ViewHub<zone::View>& views() const { return views_; }
  rsm::PendingView& pending() { return published_; }  // the raft thread's half

 private:
  kv::OrderedMap& map_;
  World& world_;
  Checker& checker_;
  const MemberId id_;
  ViewHub<zone::View> views_{std::make_shared<const zone::View>()};
  rsm::PublishedView published_{views_};
  rsm::ReplicatedState state_;
};

}  // namespace quorate::sim

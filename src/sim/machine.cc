#include "sim/machine.h"

#include "base/sim_hooks.h"

namespace quorate::sim {

Machine::Machine(kv::OrderedMap& map, World& world, Checker& checker, MemberId id)
    : map_(map),
      world_(world),
      checker_(checker),
      id_(id),
      state_(map, {.published = [this](LogIndex applied,
                                       const auto& zones) { published_.Applied(applied, zones); },
                   .store_changed =
                       [this](Revision revision, const std::vector<kv::Event>& events) {
                         checker_.OnStoreChanged(id_, revision, events);
                       },
                   .reloaded = {}}) {}

rsm::Outcome Machine::Apply(const rsm::Entry& entry) {
  const bool skip = SIM_MUTANT("skip-apply") && id_ == MemberId{2} && world_.rng().Chance(1, 50);
  const rsm::Entry nothing{.index = entry.index, .term = entry.term};
  rsm::Outcome outcome = state_.Apply(skip ? nothing : entry);
  checker_.OnApplied(id_, entry, state_.state_hash());
  return outcome;
}

void Machine::ForgetSessions() {
  kv::MapBatch batch;  // docs/formats-store.md: both keyspaces of sessions
  const auto it = map_.NewIterator();
  for (it->Seek("s"); it->Valid() && it->key() < "u"; it->Next())
    batch.push_back({std::string(it->key()), std::nullopt});
  map_.Write(batch);
}

}  // namespace quorate::sim

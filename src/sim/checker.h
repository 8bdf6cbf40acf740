// What must hold at every step, whatever happened: Raft's properties (Raft Figure 3) and those of the state
// machine. It sees everything and disturbs nothing.
#pragma once

#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "kv/types.h"
#include "raft/core.h"
#include "replica/events.h"
#include "rsm/api.h"
#include "sim/world.h"
#include "sim/writes.h"
#include "zone/zone_set.h"

namespace quorate::sim {

class Checker {
 public:
  explicit Checker(World& world) : world_(world) {}

  // Member `id` took a turn: it was `before`, now it is `core` and wants `actions`.
  struct Before {
    raft::Role role = raft::Role::kFollower;
    Term term;
    LogIndex last, commit, configuration_index;
    raft::Configuration configuration;
  };
  // Whether an entry is on the disk of a member.
  using Has = std::function<bool(MemberId, LogIndex, Term)>;
  void SetHas(Has has) { has_ = std::move(has); }
  void OnEmptied(MemberId id) { emptied_.insert(id); }
  void OnTurn(MemberId id, const Before& before, const raft::Core& core, const replica::Actions& actions);
  void OnApplied(MemberId id, const rsm::Entry& entry, uint64_t hash);
  void OnStoreChanged(MemberId id, Revision revision, const std::vector<kv::Event>& events);

  void OnAcknowledged(const Write& write, Revision revision, Revision floor);
  // A barrier read (or a write that changed nothing; member 0): everything acknowledged or read before it
  // began is in it.
  void OnRead(MemberId id, Revision seen, Revision floor);
  // What a new operation must come after.
  Revision floor() const { return floor_; }
  size_t acknowledged() const { return acknowledged_.size(); }
  size_t applied() const { return applied_.size(); }
  void OnSnapshotInstalled() { ++snapshots_; }
  size_t snapshots() const { return snapshots_; }
  size_t leaders() const { return leaders_.size(); }

  // At the end, of each replica.
  void CheckFinalState(MemberId id, const kv::MapReader& map, const zone::ZoneSet& zones);

 private:
  struct Known {  // of an entry, by index and term
    uint64_t digest = 0;
    Term prev_term;
  };
  struct Applied {
    Term term;
    uint64_t digest = 0, hash = 0;
  };
  bool Holds(const Write& write, Revision revision, const kv::MapReader& map) const;
  void CheckLeader(MemberId id, const Before& before, const raft::Core& core);
  void CheckCommitRule(MemberId id, const Before& before, const raft::Core& core);
  void CheckRepairs(const Before& before, const raft::Core& core);
  void CheckMajorities(MemberId id, const raft::Core& core);
  void CheckConfiguration(MemberId id, const raft::Core& core);
  void CheckIds(LogIndex at, const raft::Configuration& c);
  void CheckAppend(MemberId id, const Before& before, const raft::Core& core, const storage::LogWrite& write,
                   bool alone);

  World& world_;
  Has has_;
  std::set<MemberId> emptied_;  // may have lost what others rightly count on
  std::map<Term, MemberId> leaders_;
  std::map<std::pair<LogIndex, Term>, Known> entries_;
  struct Committed {
    Term term, seen_in;  // of the entry; of the member that first called it committed
  };
  std::map<LogIndex, Committed> committed_;
  std::map<LogIndex, Applied> applied_;
  std::map<MemberId, LogIndex> commit_seen_;
  std::map<LogIndex, uint64_t> configurations_;  // as of a committed index
  std::map<MemberId, LogIndex> listed_;          // the last time that it was
  std::map<MemberId, LogIndex> removed_;         // the first time that it was not any more
  std::map<Revision, std::string> changes_;
  std::map<std::string, Revision> written_;
  std::map<Revision, Write> acknowledged_;
  Revision floor_;
  size_t snapshots_ = 0;
};

}  // namespace quorate::sim

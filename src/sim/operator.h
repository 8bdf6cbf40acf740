// Changes who is in the group while it runs, as an operator would: one change at a time, at whoever leads. In
// the end it removes who cannot come back.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "raft/types.h"
#include "replica/client.h"
#include "sim/profile.h"
#include "sim/sim_replica.h"
#include "sim/world.h"

namespace quorate::sim {

class Operator {
 public:
  using Machines = std::vector<std::unique_ptr<SimReplica>>;
  // Makes the machine of a member that joins, with an empty data directory, and starts it.
  using Make = std::function<void(MemberId, uint64_t instance)>;
  Operator(World& world, const Profile& profile, Machines& machines, Make make)
      : world_(world), profile_(profile), machines_(machines), make_(std::move(make)) {}

  void Start();
  void Change();  // one, by chance
  // No more of that; who cannot come back leaves the group.
  void TidyUp() { tidying_ = true; }
  // No change is under way, and all that are listed run, and nobody else does.
  bool Settled() const;

  SimReplica* Leader() const;  // or nullptr
  // By the leader's log, committed or not.
  std::optional<raft::Configuration> Group() const;
  SimReplica* Find(MemberId id) const;  // nullptr: it has no machine yet

  // The group goes on without its data, whatever change may be under way.
  bool CanSpare(const SimReplica& machine) const;
  // Nobody could take another data directory for this one.
  bool IsKnownToAll(const SimReplica& machine) const;
  uint64_t NewInstance() { return 1000 + ++instances_; }

 private:
  void Look();
  void Tidy(SimReplica& leader);
  bool StartsMachine();
  void Ask(SimReplica& at, replica::ConfigurationChange change);
  std::optional<replica::ConfigurationChange> Draw(const raft::Configuration& c);
  std::optional<replica::ConfigurationChange> DrawAdd(const raft::Configuration& c, bool promote,
                                                      bool replaces);
  bool busy() const { return world_.now() < busy_until_; }
  bool Damaged(const raft::Configuration& c, const raft::Member& member) const;
  bool AnyVoterDamaged(const raft::Configuration& c) const;
  bool KnowsAMember(const SimReplica& machine, const raft::Configuration& c) const;

  World& world_;
  const Profile& profile_;
  Machines& machines_;
  const Make make_;
  std::map<std::string, uint64_t> prepared_;  // data directories, by the address of their machine
  uint64_t instances_ = 0, addresses_ = 0, calls_ = 0;
  Duration busy_until_{0};
  bool tidying_ = false;
};

}  // namespace quorate::sim

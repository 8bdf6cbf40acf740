// Clients of the simulated group: writes of unique values and barrier reads, at any member, again until
// answered.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sim/checker.h"
#include "sim/options.h"
#include "sim/sim_replica.h"
#include "sim/world.h"

namespace quorate::sim {

class Workload {
 public:
  Workload(World& world, Checker& checker, std::vector<std::unique_ptr<SimReplica>>& replicas)
      : world_(world), checker_(checker), replicas_(replicas) {}

  void Start();
  // No new operations; those under way go on until they are answered.
  void Finish() { finishing_ = true; }
  bool idle() const { return busy_ == 0; }
  size_t reads() const { return reads_; }

 private:
  // An operation is asked again, at another member, under the same idempotency key, until it is answered.
  struct Client {
    uint64_t id = 0;
    uint64_t operation = 0, attempt = 0;
    bool write = false;
    Write what;
    Revision floor;
  };
  void Begin(Client& client);
  void Attempt(Client& client);
  void Again(Client& client, uint64_t attempt);
  void Done(Client& client);
  void Propose(Client& client, SimReplica& replica);
  void Read(Client& client, SimReplica& replica, MemberId at);

  World& world_;
  Checker& checker_;
  std::vector<std::unique_ptr<SimReplica>>& replicas_;
  std::vector<std::unique_ptr<Client>> clients_;
  bool zone_made_ = false, finishing_ = false;
  size_t busy_ = 0, reads_ = 0;
};

}  // namespace quorate::sim

// Clients of the simulated group: puts, deletes and compare-and-sets of the store, changes of records, reads
// with barriers; at any member, again until answered. And readers that ask each replica's reader threads.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "rsm/outcome.h"
#include "sim/checker.h"
#include "sim/history.h"
#include "sim/profile.h"
#include "sim/sim_replica.h"
#include "sim/world.h"

namespace quorate::sim {

class Workload {
 public:
  Workload(World& world, Checker& checker, History& history, const Profile& profile,
           std::vector<std::unique_ptr<SimReplica>>& replicas)
      : world_(world), checker_(checker), history_(history), profile_(profile), replicas_(replicas) {}

  void Start();
  void AskAlso(size_t at);  // a replica that came later
  // No new operations; those under way go on until they are answered.
  void Finish() { finishing_ = true; }
  bool finished() const { return finishing_ && busy_ == 0; }
  size_t reads() const { return reads_; }

 private:
  // An operation is asked again, at another member, under the same idempotency key, until it is answered; one
  // without a key is asked once, and may remain unknown.
  struct Client {
    uint64_t id = 0;
    size_t at = 0;  // which replica it asks
    uint64_t operation = 0, attempt = 0;
    bool write = false, once = false;
    Write what;
    std::optional<std::string> last_seen;  // of some key: what a compare-and-set may expect
    Revision floor;
    Duration call{0};
  };
  // One for each replica; one question at a time.
  struct ReaderClient {
    size_t at = 0;
    int process = 0;
    uint64_t question = 0;
  };
  void Begin(Client& client);
  void Draw(Client& client);
  void Attempt(Client& client);
  void Again(Client& client, uint64_t attempt);
  void AgainSoon(Client& client, uint64_t attempt);
  void Done(Client& client);
  void Propose(Client& client, SimReplica& replica);
  void OnOutcome(Client& client, const replica::ProposeOutcome& outcome);
  bool HoldersHave(LogIndex index) const;
  void OnResult(Client& client, const rsm::CommandResult& result);
  void Record(Client& client, testing::Outcome outcome);
  void Read(Client& client, SimReplica& replica);
  void Ask(ReaderClient& client);

  World& world_;
  Checker& checker_;
  History& history_;
  const Profile& profile_;
  std::vector<std::unique_ptr<SimReplica>>& replicas_;
  std::vector<std::unique_ptr<Client>> clients_;
  std::vector<std::unique_ptr<ReaderClient>> readers_;
  bool zone_made_ = false, finishing_ = false;
  size_t busy_ = 0, reads_ = 0;
};

}  // namespace quorate::sim

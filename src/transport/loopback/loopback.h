// A network inside one process, for tests: Send calls the other member's handler at once, on the sender's
// thread.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include "transport/api.h"

namespace quorate::transport {

// Any thread. Outlives the transports made from it.
class LoopbackNetwork {
 public:
  // Destroying it takes the member off the network; its handler is not called afterwards.
  std::unique_ptr<PeerTransport> Join(MemberId self, MessageHandler handler);

  // Nothing passes from one to the other, in that direction, until it is healed.
  void Cut(MemberId from, MemberId to);
  void Isolate(MemberId member);  // from all others, both ways
  void Heal();

 private:
  class Endpoint;
  // Held while its handler runs.
  struct Port {
    std::mutex mu;
    MessageHandler handler;  // empty once gone
  };
  void Carry(raft::Message message);

  std::mutex mu_;
  std::map<MemberId, std::shared_ptr<Port>> ports_;  // guarded by mu_
  std::set<std::pair<MemberId, MemberId>> cut_;      // guarded by mu_
  std::set<MemberId> isolated_;                      // guarded by mu_
};

}  // namespace quorate::transport

#include "app/guarded_client.h"

#include "rsm/grows.h"

namespace quorate::app {

void GuardedClient::Propose(std::string command, Duration timeout,
                            std::function<void(replica::ProposeOutcome)> done) {
  if (disk_low_()) {
    const auto decoded = rsm::DecodeCommand(command);
    // One that does not decode changes nothing but is told why: not here.
    if (decoded.ok() && rsm::Grows(*decoded)) return done(replica::NotProposed{replica::Refusal::kDiskLow});
  }
  const uint64_t needed = rsm::FeatureLevelFor(command);
  if (needed > 1 && client_.Status().raft.configuration.feature_level < needed)
    return done(replica::NotProposed{replica::Refusal::kFeatureLevel});
  client_.Propose(std::move(command), timeout, std::move(done));
}

}  // namespace quorate::app

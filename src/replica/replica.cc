#include "replica/replica.h"

#include <string>
#include <utility>

#include "base/status_macros.h"
#include "replica/recovery.h"
#include "replica/runner.h"

namespace quorate::replica {

class Replica::Impl {
 public:
  Impl(const ReplicaOptions& options, const ReplicaParts& parts, Driver driver)
      : runner(options, parts, std::move(driver)) {}

  Runner runner;
  // Above it: what it still delivers finds a runner, which drops it once stopped.
  std::unique_ptr<transport::PeerTransport> transport;
};

absl::StatusOr<std::unique_ptr<Replica>> Replica::Start(ReplicaOptions options, ReplicaParts parts) {
  ASSIGN_OR_RETURN(Recovered found, Recover(parts.log, parts.state, parts.state_machine, options.bootstrap));
  const DriverConfig config{.core = options.core,
                            .group = options.group,
                            .stop_timeout = options.stop_timeout,
                            .snapshots = {.bytes_per_second = options.snapshot_bytes_per_second},
                            .compaction = options.compaction};
  const Now now{parts.clock.Boot(), parts.clock.Wall()};
  Driver driver(config, std::move(found.restored), found.state, now);
  const raft::Configuration configuration = driver.core().GetStatus().configuration;
  if (configuration.feature_level > options.core.feature_level) {
    return absl::FailedPreconditionError(
        "the group has feature level " + std::to_string(configuration.feature_level) +
        ", and this program can do " + std::to_string(options.core.feature_level) +
        ": start a newer program, or without --feature-level");
  }
  auto impl = std::make_unique<Impl>(options, parts, std::move(driver));
  ASSIGN_OR_RETURN(impl->transport, parts.transport([runner = &impl->runner](raft::Message message) {
    runner->Deliver(std::move(message));
  }));
  impl->runner.Start(*impl->transport, configuration);
  return std::unique_ptr<Replica>(new Replica(std::move(impl)));
}

Replica::Replica(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}

Replica::~Replica() { Stop(); }

Client& Replica::client() { return impl_->runner; }

ReadGate& Replica::gate() { return impl_->runner.gate(); }

void Replica::SetDiskLow(bool low) { impl_->runner.SetDiskLow(low); }

void Replica::Stop() { impl_->runner.Stop(); }

}  // namespace quorate::replica

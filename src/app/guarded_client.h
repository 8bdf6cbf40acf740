// The client that doors get: it keeps writes that need room away from a disk that has none, and commands that
// a part of the group does not know out of the log.
#pragma once

#include <functional>
#include <string>
#include <utility>

#include "replica/client.h"

namespace quorate::app {

// All but Propose goes through as it is. Any thread; `client` outlives it.
class GuardedClient final : public replica::Client {
 public:
  GuardedClient(replica::Client& client, std::function<bool()> disk_low)
      : client_(client), disk_low_(std::move(disk_low)) {}

  // With a disk that is nearly full a command that grows the state is NotProposed{kDiskLow}; one that is
  // above the group's feature level, NotProposed{kFeatureLevel}.
  void Propose(std::string command, Duration timeout,
               std::function<void(replica::ProposeOutcome)> done) override;
  using Client::Read;
  void Read(Consistency consistency, Duration timeout, std::function<void(absl::Status)> done) override {
    client_.Read(consistency, timeout, std::move(done));
  }
  void TransferLeadership(MemberId to, std::function<void(absl::Status)> done) override {
    client_.TransferLeadership(to, std::move(done));
  }
  void Configure(replica::ConfigurationChange change, Duration timeout,
                 std::function<void(absl::Status)> done) override {
    client_.Configure(change, timeout, std::move(done));
  }
  replica::GroupStatus Status() const override { return client_.Status(); }

 private:
  replica::Client& client_;
  const std::function<bool()> disk_low_;
};

}  // namespace quorate::app

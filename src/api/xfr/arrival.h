// Puts a zone that comes in into the log: in one command if it is small, else in pieces that wait there, so
// that no more than a piece of it is ever in memory here. One thread.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "replica/client.h"
#include "rsm/command.h"
#include "zone/edit.h"

namespace quorate::api::xfr {

class Arrival {
 public:
  // `since`: the zone's revision when it was asked for; whoever changed it meanwhile has won.
  Arrival(replica::Client& client, dns::Name apex, Revision since, size_t piece_bytes);

  // Of a full transfer; from the beginning.
  void Begin();
  absl::Status Add(dns::RRset&& rrset);
  absl::Status FinishFull();

  absl::Status Incremental(dns::Serial from, std::vector<zone::RRsetEdit> edits);

 private:
  absl::Status Stage();
  absl::Status Propose(decltype(rsm::Command::body) body, bool conditional);

  replica::Client& client_;
  const dns::Name apex_;
  const Revision since_;
  const size_t piece_bytes_;
  std::string stage_;  // the name of what waits in the log
  uint32_t pieces_ = 0;
  std::vector<dns::RRset> rrsets_;
  size_t bytes_ = 0;
};

// Waits for it. OK: applied. kAborted: refused. kUnknown, kUnavailable: try again.
absl::Status ProposeAndWait(replica::Client& client, const rsm::Command& command, Duration timeout);

}  // namespace quorate::api::xfr

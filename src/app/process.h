// One running replica: its parts in the order in which they start, and stop in reverse.
#pragma once

#include <functional>
#include <memory>
#include <stop_token>

#include "absl/status/statusor.h"
#include "app/serve_config.h"
#include "raft/core.h"

namespace quorate::app {

class Process {
 public:
  // Opens the data directory, gets its place (from the Oracle: blocks until the group is formed or `stop`),
  // recovers, and opens the doors. The error says what to do next.
  // `on_dismissed`: the group has turned this replica away; from one of its threads, must not block.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ServeOptions& options, std::stop_token stop,
                                                        std::function<void(raft::Dismissal)> on_dismissed);
  // Leadership is handed over (bounded), then the doors close, then the log.
  ~Process();

  // One line for people: who this is and where it listens.
  std::string Describe() const;

 private:
  struct Parts;
  explicit Process(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace quorate::app

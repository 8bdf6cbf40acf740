// One running replica: its parts in the order in which they start, and stop in reverse.
#pragma once

#include <memory>
#include <stop_token>

#include "absl/status/statusor.h"
#include "app/serve_config.h"

namespace quorate::app {

class Process {
 public:
  // Opens the data directory, gets its place (from the Oracle: blocks until the group is formed or `stop`),
  // recovers, and opens the doors. The error says what to do next.
  static absl::StatusOr<std::unique_ptr<Process>> Start(const ServeOptions& options, std::stop_token stop);
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

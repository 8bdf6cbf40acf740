// `quorate recover`: one surviving data directory becomes a group of its own. Offline.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "raft/types.h"

namespace quorate::app {

struct Survivor {
  GroupId group;
  MemberId member;
  LogIndex last;  // of the log ...
  Term last_term;
  LogIndex applied;             // ... and what is known to be committed of it: at least up to here
  raft::Configuration members;  // as far as this log knows
};

// "2=127.0.0.1:2380"; without an address: kInvalidArgument.
absl::StatusOr<std::vector<raft::Member>> ParseJoining(const std::vector<std::string>& members);

// Holds the data directory while it is there. One thread; blocks.
class Recovery {
 public:
  // Looks, and changes nothing that a start would not. kFailedPrecondition: there is nothing to recover here.
  // kDataLoss: damaged. kUnavailable: in use.
  static absl::StatusOr<std::unique_ptr<Recovery>> Open(const std::string& data_dir);
  ~Recovery();

  const Survivor& survivor() const;
  // The group's new number, which no other group has, not even one that was recovered from another survivor.
  // A crash leaves the old group, or a new one without a quorum: then it is done again.
  absl::StatusOr<GroupId> Found(const std::vector<raft::Member>& joining);

 private:
  struct Parts;
  explicit Recovery(std::unique_ptr<Parts> parts);
  std::unique_ptr<Parts> parts_;
};

}  // namespace quorate::app

// How a replica gets its place from the Oracle: register, then ask until its group is formed.
#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "base/types.h"

namespace quorate::oracle {

// Where one replica can be reached; "ip:port" or "[ip6]:port". Empty: the replica has no such door.
struct Addresses {
  std::string peer, dns, http, etcd;
  bool operator==(const Addresses&) const = default;
};

struct JoinRequest {
  std::string oracle_url;  // http://host:port
  std::string region;
  std::string inst_id;
  std::string uuid;          // of the data directory: a replica that comes back without it is a new member
  uint64_t incarnation = 0;  // grows with every start on that directory
  Addresses addresses;
};

struct AssignedMember {
  MemberId id;
  Addresses addresses;
  bool voter = true;    // false: a learner
  bool joined = false;  // was added to a group that ran: no part of the first configuration
};

struct Assignment {
  GroupId group_id;
  std::string group;  // its name, as `org`
  MemberId replica_id;
  std::vector<std::string> zones;       // absolute names with the final dot
  std::vector<AssignedMember> members;  // all of the group by id, this replica included
};

// Blocks until the Oracle has formed this replica's group, waiting between attempts 50 ms at first, 1 s at
// most. An Oracle that cannot be reached, or has not been initialised yet, is asked again.
// kFailedPrecondition, kInvalidArgument: the Oracle refused, the message says why and what to do; asking
// again would not help. kDeadlineExceeded: `timeout` passed, the message says what was missing.
// kCancelled: `stop` was requested. Idempotent: the same uuid always gets the same place.
absl::StatusOr<Assignment> Join(const JoinRequest& request, Duration timeout, std::stop_token stop = {});

}  // namespace quorate::oracle

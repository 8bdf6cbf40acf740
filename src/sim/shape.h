// The group of a run: who is in it, where, and with which timing.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "raft/core.h"
#include "raft/types.h"
#include "sim/profile.h"

namespace quorate::sim {

struct Shape {
  ShapeKind kind = ShapeKind::kLan3;
  raft::Configuration members;
  raft::CoreConfig timing;  // heartbeat and election timeouts; the rest is set by each replica
  int64_t slowness = 1;     // of everything that is about elections: 1 in a LAN
  Duration chaos{0};        // how long faults go on
  Duration recovery{0};     // after the last fault everything must have come right by then

  size_t size() const { return members.members.size(); }
  size_t voters() const;
  bool IsVoter(MemberId id) const;
  // The least that a message takes one way.
  Duration OneWay(MemberId from, MemberId to) const;

  std::vector<size_t> region;                   // by member
  std::vector<std::vector<Duration>> distance;  // between regions
};

// Without leases every read asks the leader.
Shape DrawShape(ShapeKind kind, bool leases, Rng& rng);
std::string_view ShapeName(ShapeKind kind);
std::optional<ShapeKind> ParseShape(std::string_view name);

}  // namespace quorate::sim

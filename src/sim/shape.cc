#include "sim/shape.h"

#include <algorithm>
#include <array>

#include "raft/quorum.h"

namespace quorate::sim {
namespace {

using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr std::array<std::string_view, 4> kNames = {"lan3", "lan5", "lan3+1", "wan5"};
constexpr size_t kRegions = 3;

void MakeWan(Shape& shape, Rng& rng) {
  shape.region = {0, 0, 1, 1, 2};
  shape.distance.assign(kRegions, std::vector<Duration>(kRegions, Duration(0)));
  for (size_t a = 0; a < kRegions; ++a)
    for (size_t b = a + 1; b < kRegions; ++b)
      shape.distance[a][b] = shape.distance[b][a] = milliseconds(40 + rng.Below(86));
  shape.timing.initial_timing = raft::WanTiming();
  shape.timing.heartbeat_interval = milliseconds(250);
  shape.timing.election_timeout_min = seconds(1);
  shape.timing.election_timeout_max = seconds(2);
  shape.slowness = 5;
  shape.chaos = seconds(30);
  shape.recovery = seconds(800);
}

}  // namespace

Shape DrawShape(ShapeKind kind, bool leases, Rng& rng) {
  // Whoever lost its eligibility again and again must be well for some time to get it back.
  Shape shape{.kind = kind, .chaos = seconds(10), .recovery = seconds(100)};
  const uint64_t voters = kind == ShapeKind::kLan5 || kind == ShapeKind::kWan5 ? 5 : 3;
  const uint64_t members = kind == ShapeKind::kLan3Learner ? 4 : voters;
  for (uint64_t id = 1; id <= members; ++id)
    shape.members.members.push_back({.id = MemberId{id}, .voter = id <= voters});
  shape.timing.initial_timing = raft::LanTiming();
  shape.region.assign(members, 0);
  shape.distance = {{Duration(0)}};
  if (kind == ShapeKind::kWan5) MakeWan(shape, rng);
  if (!leases) shape.timing.initial_timing = {};
  return shape;
}

size_t Shape::voters() const {
  return static_cast<size_t>(
      std::ranges::count_if(members.members, [](const raft::Member& member) { return member.voter; }));
}

bool Shape::IsVoter(MemberId id) const { return raft::IsVoter(members, id); }

Duration Shape::OneWay(MemberId from, MemberId to) const {
  // Machines that come later are spread in the same way.
  const auto at = [&](MemberId id) { return region[(id.value - 1) % region.size()]; };
  return distance[at(from)][at(to)];
}

std::string_view ShapeName(ShapeKind kind) { return kNames[static_cast<size_t>(kind)]; }

std::optional<ShapeKind> ParseShape(std::string_view name) {
  const auto at = std::ranges::find(kNames, name);
  if (at == kNames.end()) return std::nullopt;
  return static_cast<ShapeKind>(at - kNames.begin());
}

}  // namespace quorate::sim

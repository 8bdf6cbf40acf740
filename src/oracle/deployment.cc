#include "oracle/deployment.h"

#include <algorithm>

namespace quorate::oracle {

GroupId GroupIdOf(const Layout& layout, size_t region, size_t group) {
  return GroupId{region * layout.groups.size() + group + 1};
}

std::vector<const Replica*> MembersOf(const Deployment& deployment, size_t region, size_t group) {
  std::vector<const Replica*> members;
  for (const Replica& replica : deployment.replicas) {
    if (replica.region == region && replica.group == group) members.push_back(&replica);
  }
  std::ranges::sort(members, {}, [](const Replica* r) { return r->id; });
  return members;
}

const Replica* FindInstance(const Deployment& deployment, const std::string& inst_id) {
  const auto found = std::ranges::find(deployment.replicas, inst_id, &Replica::inst_id);
  return found == deployment.replicas.end() ? nullptr : &*found;
}

Phase PhaseOf(const Deployment& deployment) {
  if (!deployment.layout) return Phase::kUninitialised;
  const size_t wanted = deployment.layout->regions.size() * deployment.layout->instances_per_region;
  return deployment.replicas.size() == wanted ? Phase::kReady : Phase::kForming;
}

}  // namespace quorate::oracle

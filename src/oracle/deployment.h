// What the Oracle knows of a deployment: what was wanted (Layout) and who came (Replica). Plain values.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/types.h"
#include "oracle/client.h"

namespace quorate::oracle {

// A nameserver group as wanted; every region gets one of it (mode `regional`).
struct GroupTemplate {
  std::string name;
  std::vector<std::string> zones;  // absolute, lower case, with the final dot
  bool operator==(const GroupTemplate&) const = default;
};

// What `POST /init` asked for.
struct Layout {
  std::vector<std::string> regions;
  uint64_t instances_per_region = 0;  // = groups.size() * replicas_per_group
  uint64_t replicas_per_group = 0;
  std::vector<GroupTemplate> groups;
  bool operator==(const Layout&) const = default;
};

// One instance that registered. Its place never changes while it keeps its data directory.
struct Replica {
  std::string inst_id;
  std::string uuid;
  uint64_t incarnation = 0;
  Addresses addresses;
  size_t region = 0;  // index into Layout::regions
  size_t group = 0;   // index into Layout::groups
  MemberId id;        // 1 .. replicas_per_group
  bool operator==(const Replica&) const = default;
};

struct Deployment {
  std::optional<Layout> layout;   // none before the first init
  std::vector<Replica> replicas;  // in order of registration
  bool operator==(const Deployment&) const = default;
};

// One number per (region, group) of the deployment, from 1: messages of one group are refused by another.
GroupId GroupIdOf(const Layout& layout, size_t region, size_t group);

// The replicas of that group so far, by id. The group is formed when they are replicas_per_group.
std::vector<const Replica*> MembersOf(const Deployment& deployment, size_t region, size_t group);

// Null when nobody of that name registered.
const Replica* FindInstance(const Deployment& deployment, const std::string& inst_id);

enum class Phase { kUninitialised, kForming, kReady };
Phase PhaseOf(const Deployment& deployment);

}  // namespace quorate::oracle

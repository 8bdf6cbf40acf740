// Which groups there are and where their replicas listen: from the Oracle's GET /status, or one replica's
// URL.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "cli/error.h"
#include "dns/name.h"
#include "dns/rr.h"

namespace quorate::cli {

struct Replica {
  uint64_t id = 0;
  std::string http;  // URL without a slash at its end
  std::string dns, etcd;
};

// One group of one region.
struct Group {
  std::string region, name;  // empty for --server
  std::vector<dns::Name> zones;
  std::vector<Replica> replicas;

  std::string Label() const;  // "eu/org", or the URL for --server
};

// The body of GET {oracle}/status, or endpoints.json.
CliResult<std::vector<Group>> ParseDeployment(std::string_view json);

// "http://127.0.0.1:1/" and "127.0.0.1:1" are "http://127.0.0.1:1".
std::string NormalUrl(std::string_view url);

// The zone that holds records of `owner` and `type`: the longest match; for DS at an apex its parent, where
// that is here (RFC 4035 3.1.4.1).
std::optional<dns::Name> ChooseZone(const std::vector<dns::Name>& zones, const dns::Name& owner,
                                    dns::RRType type);

struct GroupZone {
  Group group;
  dns::Name zone;
};
// The groups that hold it, one for each region that does. Empty: nobody.
std::vector<GroupZone> ChooseGroups(const std::vector<Group>& groups, const dns::Name& owner,
                                    dns::RRType type);
// The groups that hold the zone itself.
std::vector<GroupZone> GroupsOfZone(const std::vector<Group>& groups, const dns::Name& zone);

}  // namespace quorate::cli

// The Oracle's decisions, pure: what is known and what was asked -> what is known from now on, or a refusal.
// No clock, thread or I/O: the HTTP shell (service.h) stores the new state before it answers.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "oracle/deployment.h"

namespace quorate::oracle {

// Why a request was not carried out, with the HTTP status that says whose fault it is.
struct Refusal {
  int status = 400;
  std::string error;
  std::string hint;  // what to do next
  bool operator==(const Refusal&) const = default;
};

// `POST /init` as it was sent.
struct InitRequest {
  uint64_t n_regions = 0;
  std::vector<std::string> region_names;
  uint64_t instances_per_region = 0;
  uint64_t replicas_per_group = 0;
  struct Group {
    std::string name;
    std::vector<std::string> zones;
    std::string mode = "regional";
  };
  std::vector<Group> groups;  // empty: root, org, example.org, as in the original system's example
};

// `POST /register_replica` as it was sent.
struct RegisterRequest {
  std::string inst_id;
  std::string region;
  std::string uuid;
  uint64_t incarnation = 0;
  Addresses addresses;
};

// Checks everything and gives names their one form. The same request always gives the same layout.
Result<Layout, Refusal> PlanLayout(const InitRequest& request);

// The state with the layout in it; 409 when another layout is in force. The same again changes nothing.
Result<Deployment, Refusal> Initialise(const Deployment& before, const InitRequest& request);

// The state with the replica in it. Places are given by region in order of registration, group after group.
// The same instance with the same uuid keeps its place and has its addresses renewed. 425 before init, 409
// for an instance with another uuid, a uuid or peer address that another instance has, or a full region.
Result<Deployment, Refusal> Register(const Deployment& before, const RegisterRequest& request);

// The replica's place, or 404, or 400 when it registered in another region.
Result<const Replica*, Refusal> FindEnv(const Deployment& deployment, const std::string& inst_id,
                                        const std::string& region);

}  // namespace quorate::oracle

#include <fmt/format.h>

#include "oracle/json.h"
#include "oracle/json_fields.h"

namespace quorate::oracle {
namespace {

Json LayoutJson(const Layout& layout) {
  Json groups = Json::array();
  for (const GroupTemplate& group : layout.groups) {
    groups.push_back({{"name", group.name}, {"zones", group.zones}, {"mode", "regional"}});
  }
  return {{"n_regions", layout.regions.size()},
          {"region_names", layout.regions},
          {"instances_per_region", layout.instances_per_region},
          {"replicas_per_ns", layout.replicas_per_group},
          {"groups", std::move(groups)}};
}

absl::Status Unusable(const std::string& why) { return absl::DataLossError(why); }

}  // namespace

std::string EncodeState(const Deployment& deployment) {
  Json replicas = Json::array();
  for (const Replica& replica : deployment.replicas) {
    Json addresses = Json::object();
    PutAddresses(addresses, replica.addresses);
    replicas.push_back({{"inst_id", replica.inst_id},
                        {"region", deployment.layout->regions[replica.region]},
                        {"uuid", replica.uuid},
                        {"incarnation", replica.incarnation},
                        {"addresses", std::move(addresses)},
                        {"group", deployment.layout->groups[replica.group].name},
                        {"id", replica.id.value}});
  }
  Json state = {{"format", "quorate-oracle"}, {"version", 1}, {"replicas", std::move(replicas)}};
  if (deployment.layout) state["layout"] = LayoutJson(*deployment.layout);
  return state.dump(1) + "\n";
}

// The state is rebuilt through the same decisions that made it, so that a file which contradicts itself is
// found: every replica must get the place that the file says.
absl::StatusOr<Deployment> DecodeState(std::string_view text) {
  const Json json = ParseText(text);
  if (json.is_discarded()) return Unusable("it is not JSON");
  Fields fields(json);
  const std::string format = fields.Text("format");
  const uint64_t version = fields.Number("version");
  if (!fields.error().empty() || format != "quorate-oracle") return Unusable("it is no state of an Oracle");
  if (version != 1) {
    return absl::FailedPreconditionError(fmt::format(
        "it has version {}, this program knows version 1: run the version that wrote it", version));
  }
  Deployment deployment;
  if (json.contains("layout")) {
    Result<InitRequest, Refusal> request = ParseInit(json["layout"].dump());
    if (!request.ok()) return Unusable("layout: " + request.error().error);
    Result<Deployment, Refusal> initialised = Initialise(deployment, *request);
    if (!initialised.ok()) return Unusable("layout: " + initialised.error().error);
    deployment = *std::move(initialised);
  }
  for (const Json& element : fields.Array("replicas", true)) {
    Result<RegisterRequest, Refusal> request = ParseRegister(element.dump());
    if (!request.ok()) return Unusable("replicas: " + request.error().error);
    Result<Deployment, Refusal> registered = Register(deployment, *request);
    if (!registered.ok()) return Unusable("replicas: " + registered.error().error);
    deployment = *std::move(registered);
    Fields place(element);
    const std::string group = place.Text("group");
    const MemberId id{place.Number("id")};
    const Replica* replica = FindInstance(deployment, request->inst_id);
    if (!place.error().empty() || deployment.layout->groups[replica->group].name != group ||
        replica->id != id) {
      return Unusable(fmt::format("replicas: `{}` is not where it belongs", request->inst_id));
    }
  }
  if (!fields.error().empty()) return Unusable(fields.error());
  return deployment;
}

}  // namespace quorate::oracle

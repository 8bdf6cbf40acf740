// What the subcommands of `quorate zone` share.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "cli/group_client.h"
#include "cli/target.h"

namespace quorate::cli {

struct ZoneArguments {
  std::shared_ptr<Target> target;
  std::string zone, file, consistency;
  std::vector<std::string> nameservers, settings, primaries;
  bool secondary = false, catalog = false;
  int64_t if_revision = -1;
};

// The groups that serve the zone; for a new one those that serve the zone it will be in.
CliResult<std::vector<GroupZone>> Holders(const ZoneArguments& arguments, const dns::Name& zone,
                                          bool may_be_new);

// With If-Match, unless the revision is negative.
GroupRequest Conditional(GroupRequest request, int64_t if_revision);

// A whole zone may take minutes. Without --timeout an attempt gets them, and only the retries end early.
CallPolicy WholeZonePolicy(const Target& target);

// What is going on, where somebody watches.
void Progress(const std::string& what);

// The zone as a master file, and the revision at which it is that.
struct ExportedZone {
  std::string text;
  int64_t revision = 0;
};
CliResult<ExportedZone> ExportFrom(const GroupZone& at, const Target& target, const std::string& consistency);

// The zone's `default-ttl` there; the default where there is no such zone, or it cannot be told.
uint32_t DefaultTtlAt(const GroupZone& at, const Target& target);

// `zone import`: what `file` says goes to every one of `holders`, each as one change.
ExitCode ImportFile(const ZoneArguments& arguments, const dns::Name& zone,
                    const std::vector<GroupZone>& holders);

ExitCode Import(const ZoneArguments& arguments);
ExitCode SetZone(const ZoneArguments& arguments);
ExitCode ShowZone(const ZoneArguments& arguments);

// Those with flags of their own.
void AddZoneCheck(CLI::App& zone, ExitCode& exit);
void AddZoneDiff(CLI::App& zone, ExitCode& exit);
void AddZoneEdit(CLI::App& zone, ExitCode& exit);

}  // namespace quorate::cli

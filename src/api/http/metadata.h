// Zone metadata as PowerDNS has it, over the settings of a zone. Pure; any thread.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "zone/settings.h"

namespace quorate::api {

// The kinds that are something here; each with the setting that it is a part of:
//   ALLOW-AXFR-FROM, TSIG-ALLOW-AXFR (transfer: from such a network, or signed with such a key),
//   ALLOW-DNSUPDATE-FROM, TSIG-ALLOW-DNSUPDATE (update: both, where both are given), ALSO-NOTIFY,
//   SOA-EDIT-DNSUPDATE and SOA-EDIT-API (serial).
std::vector<std::string_view> MetadataKinds();
bool IsMetadataKind(std::string_view kind);

// What is set of `kind`, which is one of them; none where the setting has its default.
std::vector<std::string> GetMetadata(const zone::Settings& settings, std::string_view kind);

struct MetadataRefusal {
  bool conflicts = false;  // the setting holds what metadata cannot say
  std::string why;
};
// The line of settings after which `kind` is just these values; no value: its default.
Result<std::string, MetadataRefusal> MetadataChange(const zone::Settings& settings, std::string_view kind,
                                                    const std::vector<std::string>& values);

}  // namespace quorate::api

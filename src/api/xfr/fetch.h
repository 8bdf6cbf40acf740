// Asks one primary for one zone: SOA, then IXFR or AXFR. Blocks; a thread of its own.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "api/xfr/net.h"
#include "zone/edit.h"
#include "zone/keyring.h"
#include "zone/zone.h"

namespace quorate::api::xfr {

struct FetchRequest {
  dns::Name apex;
  zone::ZonePtr have;  // nullptr: nothing yet
  zone::Remote primary;
  std::optional<zone::TsigKey> key;
};
struct Fetched {
  enum class Kind : uint8_t {
    kCurrent,      // there is nothing newer
    kFull,         // went through `rrset`
    kIncremental,  // `edits`
  } kind = Kind::kCurrent;
  std::vector<zone::RRsetEdit> edits;
};
struct FetchTools {
  const Clock* clock = nullptr;
  SourceAddresses sources;
  std::function<bool()> stop;  // true: give up
  // Of a full transfer. `begin` comes first, again if it begins anew.
  std::function<void()> begin;
  std::function<absl::Status(dns::RRset&&)> rrset;
};
// The error is for people.
absl::StatusOr<Fetched> Fetch(const FetchRequest& request, const FetchTools& tools);

}  // namespace quorate::api::xfr

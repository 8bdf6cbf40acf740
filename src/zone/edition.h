// A new version of a zone in the making: for this folder's edits and for RFC 2136, which say what changes.
#pragma once

#include <map>
#include <optional>
#include <string_view>
#include <vector>

#include "zone/edit.h"
#include "zone/refusal.h"
#include "zone/serial.h"
#include "zone/zone.h"

namespace quorate::zone {

// A name that a change touches, as it was and as it becomes.
struct TouchedName {
  dns::Name owner;                        // in the case it is kept in
  std::vector<dns::RRset> before, after;  // ascending order of type, none empty

  // nullptr: there is none now.
  dns::RRset* Find(dns::RRType type);
  // The one that is there, or a new one with `ttl`; it must not stay empty.
  dns::RRset& FindOrAdd(dns::RRType type, uint32_t ttl);
  void Erase(dns::RRType type);
  // `rdata` joins the RRset, or leaves it and the RRset goes with its last; equal as RFC 4034 6.2 says.
  // False: no difference.
  bool Remove(dns::RRType type, std::string_view rdata);
};
// False: it is there, perhaps in another case, which then stays.
bool AddRdata(dns::RRset& rrset, std::string_view rdata);

// One thread. `base` outlives it.
class Edition {
 public:
  explicit Edition(const ZonePtr& base) : base_(base) {}

  // `owner` is at or below the apex. The reference stays good.
  TouchedName& Touch(const dns::Name& owner);
  // All RRsets of the name go, but not SOA and NS of the apex.
  void DeleteAll(TouchedName& touched) const;
  // The rules, on every name touched; which refusal is told does not depend on the order of the changes.
  std::optional<Refusal> Check() const;
  // Settles the serial. Without an effect: the version it began with. Nothing may be done afterwards.
  EditResult Conclude(const SerialRule& serial);

 private:
  std::vector<RRsetChange> Changes() const;
  ZonePtr Write() const;

  const ZonePtr& base_;
  std::map<dns::Name, TouchedName> touched_;
};

// Made by whoever signs the zone, never one by one.
bool IsSignatureType(dns::RRType type);

}  // namespace quorate::zone

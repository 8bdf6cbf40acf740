#include "serve/additional.h"

#include <algorithm>
#include <optional>

#include "zone/lookup.h"

namespace quorate::serve {
namespace {

using dns::NameView;
using dns::RRType;
using wire::Section;
using zone::RRsetView;

// Hosts of one answer whose addresses are added: more would hardly fit beside them.
constexpr size_t kHostsMax = 32;

bool IsAtOrBelow(NameView name, NameView ancestor) {
  while (name.size() > ancestor.size()) name.remove_prefix(1u + static_cast<uint8_t>(name[0]));
  return dns::SameName(name, ancestor);
}

bool Add(const RRsetView& rrset, NameView owner, wire::MessageWriter& writer) {
  return !rrset ||
         writer.AddRRset(Section::kAdditional, owner, rrset.type, dns::RRClass::kIN, rrset.ttl, rrset);
}

bool AddGlueOf(const zone::Addresses& found, wire::MessageWriter& writer) {
  const bool a = Add(found.a, found.a.owner, writer);
  return Add(found.aaaa, found.aaaa.owner, writer) && a;
}

// Where in the rdata the host's name begins.
std::optional<size_t> HostOffset(RRType type) {
  switch (type) {
    case RRType::kNS:
      return 0;
    case RRType::kMX:
    case RRType::kSVCB:
    case RRType::kHTTPS:
      return 2;
    case RRType::kSRV:
      return 6;
    default:
      return std::nullopt;
  }
}

// The name at the front of `rdata`; empty: none, or the root, which has no addresses.
NameView HostAt(std::string_view rdata) {
  size_t at = 0;
  while (at < rdata.size() && rdata[at] != 0) at += 1u + static_cast<uint8_t>(rdata[at]);
  return at == 0 || at >= rdata.size() ? NameView() : rdata.substr(0, at + 1);
}

}  // namespace

bool AddGlue(const zone::Zone& zone, const RRsetView& ns, wire::MessageWriter& writer, Visits& visits) {
  bool complete = true;
  for (const bool in_domain : {true, false}) {
    for (const NameView host : ns) {
      if (IsAtOrBelow(host, ns.owner) != in_domain || !IsAtOrBelow(host, zone.apex().wire())) continue;
      visits.Note(host);
      const bool fits = AddGlueOf(zone::FindGlue(zone, host), writer);
      if (in_domain) complete = complete && fits;
    }
  }
  return complete;
}

void AddAddressesOf(const zone::ZoneSet& zones, const RRsetView& answer, wire::MessageWriter& writer,
                    Visits& visits) {
  const auto offset = HostOffset(answer.type);
  if (!offset) return;
  NameView done[kHostsMax];
  size_t count = 0;
  for (const std::string_view rdata : answer) {
    if (rdata.size() <= *offset) continue;
    const NameView host = HostAt(rdata.substr(*offset));
    const auto same = [&](NameView other) { return dns::SameName(host, other); };
    if (host.empty() || std::any_of(done, done + count, same)) continue;
    if (count == kHostsMax) return;
    done[count++] = host;
    visits.Note(host);
    const zone::Zone* zone = zones.FindZone(host);
    if (zone == nullptr) continue;
    visits.NoteZone(zones, *zone);
    // A wildcard may be their source: the owner is the host (RFC 4592 3.3.1).
    zone::Addresses found = zone::FindAddresses(*zone, host);
    // The servers of a zone may be named below one of its own cuts, as those of the root are (RFC 9609 4).
    if (answer.type == RRType::kNS && !found.a && !found.aaaa) found = zone::FindGlue(*zone, host);
    Add(found.a, host, writer);
    Add(found.aaaa, host, writer);
  }
}

}  // namespace quorate::serve

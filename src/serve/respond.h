// A DNS request's octets and one version of the zones in, the response's octets out. Pure: no clock, no I/O,
// no lock, no allocation, no state between calls. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "wire/error.h"
#include "zone/zone_set.h"

namespace quorate::serve {

enum class Transport : uint8_t { kUdp, kTcp };

// What `leader.health.quorate. CH TXT` tells a load balancer that can ask nothing but DNS: "leader",
// "follower", or SERVFAIL where no leader is known.
enum class LeaderHealth : uint8_t { kNoLeader, kFollower, kLeader };

struct RespondConfig {
  uint16_t udp_size_max = 1232;  // of a UDP response, whatever the client allows (RFC 9715); at least 512
  bool chaos = false;  // answer version.bind, version.server, id.server, hostname.bind (CH TXT; RFC 4892)
  std::string version, id;                        // what those say; at most 255 octets
  LeaderHealth health = LeaderHealth::kNoLeader;  // as it was when the caller took this copy
};

// Space that any response fits in; at least kResponseBytesMin must be given, else it fits less and sets TC.
inline constexpr size_t kResponseBytesMin = 512;

// Returns the size of the response, written to the front of `out`; 0: stay silent. UDP responses keep to what
// the client and the configuration allow; a response that does not fit has TC set and no part of an RRset.
size_t Respond(wire::Bytes query, const zone::ZoneSet& zones, Transport transport,
               const RespondConfig& config, std::span<uint8_t> out);

// The same, for requests whose response does not depend on any zone (malformed ones, other opcodes and
// classes): those need no right to read. nullopt: ask Respond.
std::optional<size_t> RespondWithoutZones(wire::Bytes query, Transport transport, const RespondConfig& config,
                                          std::span<uint8_t> out);

// SERVFAIL to a request that Respond would answer from a zone; 0: it would have stayed silent.
size_t RespondServFail(wire::Bytes query, Transport transport, const RespondConfig& config,
                       std::span<uint8_t> out);

}  // namespace quorate::serve

// A DNS request's octets and one version of the view in, the response's octets out. Pure: no clock, no I/O,
// no lock, no allocation, no state between calls. Any thread.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/consistency.h"
#include "serve/transport.h"
#include "wire/query.h"
#include "zone/view.h"

namespace quorate::serve {

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

struct Response {
  size_t size = 0;   // written to the front of the space that was given; 0: stay silent
  LogIndex touched;  // the last pending entry that touches the response; 0: none
  Consistency
      consistency;  // the strictest of the zones that the look-up visited; linearizable if there was none
};

// An extended DNS error (RFC 8914), sent if the request has EDNS.
enum class ExtendedError : uint16_t { kNone = 0xffff, kStaleAnswer = 3, kNetworkError = 23 };

// Who asks, and by what.
struct Asker {
  Asker(Transport by) : transport(by) {}  // NOLINT: a transport alone has no address
  Asker(Transport by, const std::array<uint8_t, 16>& from) : transport(by), address(from) {}
  Transport transport;
  std::array<uint8_t, 16> address{};  // IPv4 as ::ffff:a.b.c.d
};

// Parsed once. The message outlives it.
struct Request {
  Request(wire::Bytes message, const Asker& who) : parse(wire::ParseQuery(message)), asker(who) {}
  wire::QueryParse parse;
  Asker asker;
};

// UPDATE, NOTIFY, transfers, and what is signed with TSIG: not for Respond where there is a slow door.
bool IsForSlowDoor(const Request& request);

// The response from `view.zones`, and what pending entries up to `through` mean to it. UDP responses keep to
// what the client and the configuration allow; a response that does not fit has TC set and no part of an
// RRset.
Response Respond(const Request& request, const zone::View& view, const RespondConfig& config,
                 std::span<uint8_t> out, LogIndex through = zone::kWholeLog,
                 ExtendedError error = ExtendedError::kNone);
inline Response Respond(wire::Bytes query, const zone::View& view, const Asker& asker,
                        const RespondConfig& config, std::span<uint8_t> out,
                        LogIndex through = zone::kWholeLog) {
  return Respond(Request(query, asker), view, config, out, through);
}
// Of zones by themselves: the response's size.
size_t Respond(wire::Bytes query, const zone::ZoneSet& zones, const Asker& asker,
               const RespondConfig& config, std::span<uint8_t> out);

// The same, for requests whose response does not depend on any zone (malformed ones, other opcodes and
// classes): those need no right to read. nullopt: ask Respond.
std::optional<size_t> RespondWithoutZones(const Request& request, const RespondConfig& config,
                                          std::span<uint8_t> out);

// SERVFAIL, with `error`, to a request that Respond would answer from a zone, or to one for the slow door; 0:
// Respond would have stayed silent.
size_t RespondServFail(const Request& request, const RespondConfig& config, std::span<uint8_t> out,
                       ExtendedError error = ExtendedError::kNone);

}  // namespace quorate::serve

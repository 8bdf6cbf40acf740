// A DNS request's octets and one version of the view in, the response's octets out. Pure: no clock, no I/O,
// no lock, no allocation, no state between calls. Any thread.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/consistency.h"
#include "serve/edns.h"
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
  uint32_t wall_seconds = 0;     // since 1970, modulo 2^32, then, too: for cookies (RFC 9018)
  std::string nsid;              // for who asks (RFC 5001); empty: nothing; at most kNsidBytesMax
  bool require_cookies = false;  // UDP: a cookie that is not valid gets BADCOOKIE and a new one
  uint16_t room_for_tsig = 0;    // octets that are left free, of whatever the client allows (RFC 8945 5.3)
  uint16_t keepalive = 0;  // TCP: idle time-out in units of 100 ms, for who asks (RFC 7828); 0: not said
};

// Space that any response fits in; at least kResponseBytesMin must be given, else it fits less and sets TC.
inline constexpr size_t kResponseBytesMin = 512;

struct Response {
  size_t size = 0;   // written to the front of the space that was given; 0: stay silent
  LogIndex touched;  // the last pending entry that touches the response; 0: none
  Consistency
      consistency;  // the strictest of the zones that the look-up visited; linearizable if there was none
  bool cookie_valid = false;  // the client has shown that the address is its own
  // What it counts as for rate limits: the name or wildcard that gave the answer, the cut, or the zone that
  // denied it; empty: an error. In memory of the view or the request.
  dns::NameView rate_name;
};

// An extended DNS error (RFC 8914), sent if the request has EDNS.
enum class ExtendedError : uint16_t {
  kNone = 0xffff,
  kStaleAnswer = 3,
  kNotReady = 14,
  kProhibited = 18,
  kNotAuthoritative = 20,
  kNetworkError = 23,
  kInvalidData = 24,
};

// Who asks, and by what.
struct Asker {
  Asker(Transport by) : transport(by) {}  // NOLINT: a transport alone has no address
  Asker(Transport by, const zone::Address& from, dns::NameView signer = {})
      : transport(by), address(from), key(signer) {}
  Transport transport;
  zone::Address address{};
  dns::NameView key;  // of the TSIG that was verified; empty: none
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
size_t Respond(wire::Bytes query, const zone::ZoneSet& zones, const Asker& asker, const RespondConfig& config,
               std::span<uint8_t> out);

// The same, for requests whose response does not depend on any zone (malformed ones, other opcodes and
// classes): those need no right to read. nullopt: ask Respond.
std::optional<size_t> RespondWithoutZones(const Request& request, const zone::View& view,
                                          const RespondConfig& config, std::span<uint8_t> out);

// SERVFAIL, with `error`, to a request that Respond would answer from a zone, or to one for the slow door; 0:
// Respond would have stayed silent.
size_t RespondServFail(const Request& request, const zone::View& view, const RespondConfig& config,
                       std::span<uint8_t> out, ExtendedError error = ExtendedError::kNone);
// A UDP response that says no more than that the client may ask again over TCP: what rate limits let through.
size_t RespondTruncated(const Request& request, const zone::View& view, const RespondConfig& config,
                        std::span<uint8_t> out);

}  // namespace quorate::serve

// Any octets to a server of a small zone with everything odd in it: the response is well-formed, belongs to
// the request and keeps to its limit.
#include "serve/respond.h"
#include "dns/presentation.h"
#include "wire/message.h"
#include "zone/builder.h"

namespace quorate {
namespace {

constexpr std::string_view kZone =
    "@ 600 SOA ns1 admin 7 3600 600 86400 300\n@ NS ns1\n@ NS ns.child\nns1 A 192.0.2.53\nns1 AAAA "
    "2001:db8::53\n"
    "@ MX 10 ns1\n* TXT \"wildcard\"\n*.w CNAME a\na CNAME b\nb CNAME a\nout CNAME www.elsewhere.\nc A "
    "192.0.2.1\n"
    "child NS ns.child\nchild NS ns.sibling\nns.child A 192.0.2.2\nns.sibling A 192.0.2.3\nd DNAME e\nx.e "
    "TXT y\n"
    "dl DNAME dl.dl\na.b.c.ent TXT x\n_s._tcp SRV 0 0 1 ns1\nsvc HTTPS 1 . alpn=h2\nunknown TYPE65280 \\# 2 "
    "C00C\n"
    "@ NSEC *.w NS SOA MX NSEC\n*.w NSEC c CNAME NSEC\nc NSEC child A NSEC\nchild NSEC svc NS NSEC\nsvc NSEC "
    "@ HTTPS\n"
    "svc RRSIG HTTPS 13 2 300 20300101000000 20200101000000 1 @ AQ==\n@ RRSIG NSEC 13 1 300 20300101000000 "
    "20200101000000 1 @ AQ==\nalias2 HTTPS 0 svc\nnaptr NAPTR 1 1 s x \"\" _s._tcp\n";

zone::ZoneSet MakeZones() {
  const dns::Name apex = *dns::Name::FromText("example.");
  zone::ZoneBuilder builder(apex);
  const auto error = dns::ParseZoneText(kZone, {.origin = apex}, [&](dns::TextRecord&& r) {
    builder.Add(r.owner, r.type, r.ttl, r.rdata);
    return std::string();
  });
  CHECK(!error.has_value());
  auto built = std::move(builder).Build();
  CHECK(std::holds_alternative<zone::ZonePtr>(built));
  zone::ZoneSet zones;
  zones.Put(std::get<zone::ZonePtr>(built));
  return zones;
}

void CheckResponse(wire::Bytes request, wire::Bytes response, size_t limit) {
  CHECK_LE(response.size(), limit);
  const auto parsed = wire::ParseMessage(response);
  CHECK(parsed.ok());
  CHECK(parsed->response && !parsed->ra && !parsed->ad && !parsed->z);
  CHECK_EQ(response[0], request[0]);
  CHECK_EQ(response[1], request[1]);
}

}  // namespace
}  // namespace quorate

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace quorate;
  static const zone::ZoneSet zones = MakeZones();
  static const serve::RespondConfig config{.chaos = true, .version = "v", .id = "i"};
  static uint8_t out[65535];
  const wire::Bytes request(data, size);
  for (const auto& [transport, limit] :
       {std::pair{serve::Transport::kUdp, size_t{1232}}, std::pair{serve::Transport::kTcp, size_t{65535}}}) {
    const size_t answered = serve::Respond(request, zones, transport, config, out);
    if (answered > 0) CheckResponse(request, {out, answered}, limit);
    const size_t refused = serve::RespondServFail(request, transport, config, out);
    if (refused > 0) CheckResponse(request, {out, refused}, limit);
    CHECK_EQ(answered > 0, refused > 0);
  }
  return 0;
}

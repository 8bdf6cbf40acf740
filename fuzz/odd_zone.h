// A small zone with everything odd in it, for the targets that need one.
#pragma once

#include <string>
#include <string_view>

#include "base/check.h"
#include "dns/presentation.h"
#include "zone/builder.h"

namespace quorate::fuzz {

inline constexpr std::string_view kOddZone =
    "@ 600 SOA ns1 admin 4294967295 3600 600 86400 300\n@ NS ns1\n@ NS ns.child\nns1 A 192.0.2.53\n"
    "ns1 AAAA 2001:db8::53\n@ MX 10 ns1\n* TXT \"wildcard\"\n*.w CNAME a\na CNAME b\nb CNAME a\n"
    "out CNAME www.elsewhere.\nc A 192.0.2.1\nchild NS ns.child\nchild NS ns.sibling\n"
    "ns.child A 192.0.2.2\nns.sibling A 192.0.2.3\nd DNAME e\nx.e TXT y\ndl DNAME dl.dl\n"
    "a.b.c.ent TXT x\n_s._tcp SRV 0 0 1 ns1\nsvc HTTPS 1 . alpn=h2\nunknown TYPE65280 \\# 2 C00C\n";

// With some of the records of a signed zone, not always those that belong there.
inline constexpr std::string_view kSignatures =
    "@ NSEC *.w NS SOA MX NSEC\n*.w NSEC c CNAME NSEC\nc NSEC child A NSEC\nchild NSEC svc NS NSEC\n"
    "svc NSEC @ HTTPS\nsvc RRSIG HTTPS 13 2 300 20300101000000 20200101000000 1 @ AQ==\n"
    "@ RRSIG NSEC 13 1 300 20300101000000 20200101000000 1 @ AQ==\nalias2 HTTPS 0 svc\n"
    "naptr NAPTR 1 1 s x \"\" _s._tcp\n";

inline zone::ZonePtr MakeOddZone(bool is_signed = false) {
  const dns::Name apex = *dns::Name::FromText("example.");
  zone::ZoneBuilder builder(apex);
  const auto error = dns::ParseZoneText(std::string(kOddZone) + (is_signed ? std::string(kSignatures) : ""),
                                        {.origin = apex}, [&](dns::TextRecord&& r) {
                                          builder.Add(r.owner, r.type, r.ttl, r.rdata);
                                          return std::string();
                                        });
  CHECK(!error.has_value());
  auto built = std::move(builder).Build();
  CHECK(std::holds_alternative<zone::ZonePtr>(built));
  return std::get<zone::ZonePtr>(built);
}

// The same content, made anew as at a start: whatever a change leaves behind must be a zone.
inline zone::ZonePtr Rebuilt(const zone::Zone& zone) {
  zone::ZoneBuilder builder(zone.apex());
  for (const zone::Node* node : zone.InCanonicalOrder())
    for (const dns::RRset& rrset : node->Materialize()) builder.Add(rrset);
  auto built = std::move(builder).Build();
  CHECK(std::holds_alternative<zone::ZonePtr>(built));
  return std::get<zone::ZonePtr>(built);
}

}  // namespace quorate::fuzz

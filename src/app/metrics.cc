#include "app/metrics.h"

#include <string>

namespace quorate::app {
namespace {

constexpr const char* kRcodeNames[serve::kRcodesCounted] = {
    "NOERROR", "FORMERR", "SERVFAIL", "NXDOMAIN", "NOTIMP", "REFUSED", "YXDOMAIN", "YXRRSET",
    "NXRRSET", "NOTAUTH", "NOTZONE",  "11",       "12",     "13",      "14",       "15"};

}  // namespace

void CollectServe(const serve::Counters& c, const char* transport, api::MetricsSink& sink) {
  const api::MetricsSink::Labels labels = {{"transport", transport}};
  const auto count = [&](const char* name, const char* help, uint64_t value) {
    sink.Counter(name, help, static_cast<double>(value), labels);
  };
  count("quorate_dns_queries_total", "DNS requests received", c.queries);
  count("quorate_dns_dropped_total", "DNS requests not answered at all", c.dropped);
  count("quorate_dns_truncated_total", "DNS responses with TC set", c.truncated);
  count("quorate_dns_held_total", "DNS requests that waited for a read barrier", c.held);
  count("quorate_dns_held_pending_total", "DNS requests that waited for a pending change to be applied",
        c.held_pending);
  count("quorate_dns_stale_answers_total",
        "DNS responses that were not linearizable, as the zone's consistency allows", c.stale_answers);
  count("quorate_dns_hold_expired_total", "SERVFAIL because no read barrier came in time", c.hold_expired);
  count("quorate_dns_hold_overflow_total", "SERVFAIL because too many requests were waiting",
        c.hold_overflow);
  count("quorate_dns_send_failed_total", "DNS responses that the system did not take", c.send_failed);
  count("quorate_dns_slow_total", "UPDATE, NOTIFY, transfers and signed requests", c.slow);
  count("quorate_dns_slow_overflow_total", "SERVFAIL because too many of these were under way",
        c.slow_overflow);
  count("quorate_dns_connections_total", "Connections that were accepted", c.connections);
  count("quorate_dns_connections_refused_total", "Connections closed at once, because there were too many",
        c.connections_refused);
  count("quorate_dns_client_limit_total", "Connections of clients that had as many as one may",
        c.client_limit);
  count("quorate_dns_tls_failed_total", "TLS handshakes that failed", c.tls_failed);
  count("quorate_dns_rate_dropped_total", "DNS responses not sent, over the rate limit", c.rate_dropped);
  count("quorate_dns_rate_truncated_total", "DNS responses sent truncated, over the rate limit",
        c.rate_truncated);
  for (size_t rcode = 0; rcode < serve::kRcodesCounted; ++rcode) {
    if (c.rcodes[rcode] == 0 && rcode > 5) continue;
    api::MetricsSink::Labels with_rcode = labels;
    with_rcode["rcode"] = kRcodeNames[rcode];
    sink.Counter("quorate_dns_responses_total", "DNS responses by rcode",
                 static_cast<double>(c.rcodes[rcode]), with_rcode);
  }
}

}  // namespace quorate::app

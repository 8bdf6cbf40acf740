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

void CollectDoor(const api::door::DoorCounters& c, api::MetricsSink& sink) {
  const auto count = [&](const char* name, const char* help, const std::atomic<uint64_t>& value,
                         const api::MetricsSink::Labels& labels = {}) {
    sink.Counter(name, help, static_cast<double>(value.load()), labels);
  };
  constexpr const char* kUpdates = "quorate_dns_updates_total";
  constexpr const char* kUpdatesHelp = "DNS UPDATE messages answered, by what became of them";
  count(kUpdates, kUpdatesHelp, c.updates_applied, {{"outcome", "applied"}});
  count(kUpdates, kUpdatesHelp, c.updates_refused, {{"outcome", "refused"}});
  count(kUpdates, kUpdatesHelp, c.updates_failed, {{"outcome", "failed"}});
  constexpr const char* kNotifies = "quorate_dns_notifies_total";
  constexpr const char* kNotifiesHelp = "DNS NOTIFY messages received, by whether they were believed";
  count(kNotifies, kNotifiesHelp, c.notifies, {{"outcome", "accepted"}});
  count(kNotifies, kNotifiesHelp, c.notifies_refused, {{"outcome", "refused"}});
  count("quorate_dns_transfer_requests_total", "DNS requests for AXFR and IXFR received", c.transfers);
  count("quorate_dns_signed_queries_total", "DNS queries with a valid TSIG, transfers aside",
        c.signed_queries);
  constexpr const char* kFaults = "quorate_tsig_faults_total";
  constexpr const char* kFaultsHelp = "DNS requests whose TSIG was refused, by error";
  count(kFaults, kFaultsHelp, c.bad_key, {{"error", "BADKEY"}});
  count(kFaults, kFaultsHelp, c.bad_sig, {{"error", "BADSIG"}});
  count(kFaults, kFaultsHelp, c.bad_time, {{"error", "BADTIME"}});
  count(kFaults, kFaultsHelp, c.bad_trunc, {{"error", "BADTRUNC"}});
  count(kFaults, kFaultsHelp, c.form_err, {{"error", "FORMERR"}});
  count("quorate_dns_door_overflow_total", "SERVFAIL because too many signed requests were under way",
        c.overflow);
}

void CollectTransfers(api::xfr::Transfers& transfers, api::MetricsSink& sink) {
  const auto count = [&](const char* name, const char* help, const char* label, const char* value,
                         const std::atomic<uint64_t>& counter) {
    sink.Counter(name, help, static_cast<double>(counter.load(std::memory_order_relaxed)), {{label, value}});
  };
  const api::xfr::TransferOutCounters& out = transfers.out().counters();
  const char* out_help = "Requests for a zone transfer, by what they got";
  count("quorate_transfers_out_total", out_help, "result", "full", out.full);
  count("quorate_transfers_out_total", out_help, "result", "incremental", out.incremental);
  count("quorate_transfers_out_total", out_help, "result", "current", out.current);
  count("quorate_transfers_out_total", out_help, "result", "refused", out.refused);
  count("quorate_transfers_out_total", out_help, "result", "failed", out.failed);
  const api::xfr::NotifyCounters& notify = transfers.notifier().counters();
  const char* notify_help = "NOTIFY messages to other servers";
  count("quorate_notifies_total", notify_help, "result", "sent", notify.sent);
  count("quorate_notifies_total", notify_help, "result", "answered", notify.answered);
  count("quorate_notifies_total", notify_help, "result", "given_up", notify.given_up);
  count("quorate_notifies_total", notify_help, "result", "not_sent", notify.not_sent);
  const api::xfr::TransferInCounters& in = transfers.secondaries().counters();
  const char* in_help = "What came of asking primaries for secondary zones";
  count("quorate_transfers_in_total", in_help, "result", "full", in.full);
  count("quorate_transfers_in_total", in_help, "result", "incremental", in.incremental);
  count("quorate_transfers_in_total", in_help, "result", "current", in.current);
  count("quorate_transfers_in_total", in_help, "result", "failed", in.failed);
  count("quorate_transfers_in_total", in_help, "result", "expired", in.expired);
  const char* catalog_help = "Changes that consumed catalog zones asked for";
  count("quorate_catalog_changes_total", catalog_help, "result", "done", in.catalog_changes);
  count("quorate_catalog_changes_total", catalog_help, "result", "failed", in.catalog_failures);
}

}  // namespace quorate::app

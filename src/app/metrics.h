// The figures of the DNS data plane, for /metrics.
#pragma once

#include "api/dns/door.h"
#include "api/http/backend.h"
#include "api/xfr/transfers.h"
#include "serve/counters.h"

namespace quorate::app {

// `transport` is "udp", "tcp" or "tls".
void CollectServe(const serve::Counters& counters, const char* transport, api::MetricsSink& sink);
void CollectTransfers(api::xfr::Transfers& transfers, api::MetricsSink& sink);

void CollectDoor(const api::door::DoorCounters& counters, api::MetricsSink& sink);

}  // namespace quorate::app

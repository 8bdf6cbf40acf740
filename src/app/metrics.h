// The figures of the DNS data plane, for /metrics.
#pragma once

#include "api/http/backend.h"
#include "serve/counters.h"

namespace quorate::app {

// `transport` is "udp", "tcp" or "tls".
void CollectServe(const serve::Counters& counters, const char* transport, api::MetricsSink& sink);

}  // namespace quorate::app

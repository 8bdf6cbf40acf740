// The zone that a path or a query speaks of.
#pragma once

#include <optional>

#include "api/http/message.h"
#include "base/result.h"
#include "dns/name.h"

namespace quorate::api {

// "/api/v1/servers/localhost/zones/{zone}...": the zone, or the reply that says what is wrong with server or
// zone.
Result<dns::Name, HttpResponse> ZoneOf(const HttpRequest& request);
// 404 unless {server} is "localhost".
std::optional<HttpResponse> CheckServer(const HttpRequest& request);
HttpResponse NoSuchZone(const dns::Name& apex);

}  // namespace quorate::api

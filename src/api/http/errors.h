// Replies that say no, as PowerDNS gives them ("error"), with a code for programs and a hint for people.
#pragma once

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "api/http/message.h"
#include "dns/presentation.h"
#include "replica/client.h"
#include "rsm/outcome.h"

namespace quorate::api {

HttpResponse ErrorResponse(int status, std::string_view code, std::string_view error,
                           std::string_view hint = "");

// Of a write that the state machine refused; `result.refused` is not kNot.
HttpResponse RefusedResponse(const rsm::CommandResult& result);
HttpResponse NotProposedResponse(replica::Refusal why);
HttpResponse UnknownResponse();
// The state machine cannot tell (any more) whether the request was applied; nothing was applied now.
HttpResponse UnknownResponse(const std::string& reason);
// Of a zone file that is wrong; nothing was changed.
HttpResponse BadZoneText(const dns::TextError& error);
// Says what the reply means for the write: X-Quorate-Outcome and, in an object, "outcome": "applied",
// "refused" (certainly not applied) or "unknown"; if not applied also "retryable": whether the same request,
// with the same Idempotency-Key, may succeed.
HttpResponse WithOutcome(HttpResponse response);
// Of a read barrier or a transfer that failed.
HttpResponse StatusResponse(const absl::Status& status);

}  // namespace quorate::api

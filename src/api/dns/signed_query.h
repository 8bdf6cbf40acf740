// An ordinary query that was signed: the same answer, with a signature (RFC 8945 5.3).
#pragma once

#include "api/dns/exchange.h"
#include "serve/respond.h"
#include "zone/view.h"

namespace quorate::api::door {

// The answer, yet to be signed; empty: silence. Room for the signature is kept free. Over UDP what has no
// room becomes the question alone, with TC (RFC 8945 5.3).
std::string AnswerSignedQuery(const Exchange& exchange, const zone::View& view, serve::RespondConfig config,
                              Consistency* consistency = nullptr);
// SERVFAIL, where there is no right to read.
std::string FailSignedQuery(const Exchange& exchange, const zone::View& view, serve::RespondConfig config);

}  // namespace quorate::api::door

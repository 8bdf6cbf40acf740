// The answer, authority and additional sections for one question (RFC 1034 4.3.2 around zone::Lookup).
#pragma once

#include "dns/rr.h"
#include "serve/respond.h"
#include "serve/visits.h"
#include "wire/writer.h"
#include "zone/zone_set.h"

namespace quorate::serve {

struct AnswerStatus {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool aa = false;
  bool tc = false;
};

// Appends to `writer`, which holds the question and has reserved what comes after, and notes every visit.
// Pure, without allocation.
AnswerStatus AnswerQuestion(const zone::ZoneSet& zones, dns::NameView qname, dns::RRType qtype,
                            Transport transport, wire::MessageWriter& writer, Visits& visits);

}  // namespace quorate::serve

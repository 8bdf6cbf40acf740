// The answer, authority and additional sections for one question (RFC 1034 4.3.2 around zone::Lookup; RFC
// 4035 3.1 for zones that were signed elsewhere).
#pragma once

#include "dns/rr.h"
#include "serve/respond.h"
#include "serve/visits.h"
#include "wire/writer.h"
#include "zone/zone_set.h"

namespace quorate::serve {

struct Question {
  dns::NameView qname;
  dns::RRType qtype = dns::RRType::kA;
  Transport transport = Transport::kUdp;
  bool dnssec_ok = false;  // the client wants signatures and proofs (RFC 3225)
};

struct AnswerStatus {
  dns::Rcode rcode = dns::Rcode::kNoError;
  bool aa = false;
  bool tc = false;
  ExtendedError error = ExtendedError::kNone;
};

// Appends to `writer`, which holds the question and has reserved what comes after, and notes every visit.
// Pure, without allocation.
AnswerStatus AnswerQuestion(const zone::ZoneSet& zones, const Question& question, wire::MessageWriter& writer,
                            Visits& visits);

}  // namespace quorate::serve

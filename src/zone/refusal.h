// Why a change of a zone was refused. A refused change changed nothing.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace quorate::zone {

enum class RefusalCode : uint8_t {
  kOutOfZone = 1,
  kMetaType = 2,       // OPT, ANY, AXFR, ...: never in a zone
  kBadRdata = 3,       // not well-formed for its type
  kCnameAndOther = 4,  // RFC 1034 3.6.2, 2181 10.1
  kMultipleCname = 5,  // RFC 2181 10.1
  kMultipleSoa = 6,
  kMultipleDname = 7,  // RFC 6672 2.4
  kSoaNotAtApex = 8,
  kNoSoa = 9,            // the apex would have none
  kNoApexNs = 10,        // the apex would have none
  kDnameAndNs = 11,      // below the apex (RFC 6672 2.3)
  kDsAtApex = 12,        // RFC 4035 2.4
  kDsWithoutNs = 13,     // RFC 4035 2.4
  kRRsetTooLarge = 14,   // could never be sent
  kSignedZone = 15,      // only a whole import may replace a zone that was signed elsewhere
  kSignatureType = 16,   // RRSIG, NSEC, NSEC3, NSEC3PARAM by a single change
  kSerialNotNewer = 17,  // a signed import whose serial does not follow the present one (RFC 1982)
  kTooManyTypes = 18,    // at one name: every look-up there goes through them
};
std::string_view RefusalName(RefusalCode code);  // "cname-and-other": for JSON and metrics

struct Refusal {
  RefusalCode code = RefusalCode::kBadRdata;
  std::string reason;  // for people; names owner, type and why
};

}  // namespace quorate::zone
